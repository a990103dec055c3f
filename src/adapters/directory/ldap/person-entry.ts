import { EqualityFilter, type Entry, type Filter } from 'ldapts';

/** Bit of userAccountControl in Active Directory: the account is disabled. */
const ACCOUNT_DISABLE = 0x2;
/** Attributes that say whether a person may sign in: Active Directory, 389 Directory Server, policy overlay of OpenLDAP. */
const STATE_ATTRIBUTES = ['userAccountControl', 'accountExpires', 'nsAccountLock', 'pwdAccountLockedTime'];
const LOCKED_FOR_EVER = '000001010000Z';
/** Active Directory counts units of 100 ns since 1601. */
const FILETIME_EPOCH_MS = 11_644_473_600_000n;
const NEVER = new Set([0n, 0x7fff_ffff_ffff_ffffn]);

const STANDARD_IDS = ['entryUUID', 'objectGUID'];
const GUID = 'objectguid';

const idAttributes = (chosen: string | null): readonly string[] => (chosen === null ? STANDARD_IDS : [chosen]);

/** Lists the attributes that are read of a person. */
export const wantedAttributes = (names: readonly string[], chosenId: string | null): string[] => [
  ...new Set([...names, 'displayName', 'cn', ...idAttributes(chosenId), ...STATE_ATTRIBUTES]),
];

/** Lists the attributes whose bytes are not text. */
export const bufferAttributes = (chosenId: string | null): string[] =>
  idAttributes(chosenId).filter((name) => name.toLowerCase() === GUID);

const hasName =
  (name: string) =>
  ([key]: [string, unknown]): boolean =>
    key.toLowerCase() === name.toLowerCase();

/** Returns all values of an attribute. The letter case of its name does not matter. */
export function valuesOf(entry: Entry, attribute: string): readonly (string | Buffer)[] {
  const found = Object.entries(entry)
    .filter(hasName(attribute))
    .flatMap(([, value]) => value);
  return found.filter((value) => value.length > 0);
}

/** Returns the first value of an attribute as text, or null. */
export const textOf = (entry: Entry, attribute: string): string | null => {
  const [value] = valuesOf(entry, attribute);
  return value === undefined ? null : value.toString();
};

/** Returns an id such as `objectGUID=<hex>`, or null. It includes the attribute, so that after a change of the setting it does not match another person. */
export function idOf(entry: Entry, chosen: string | null): string | null {
  for (const name of idAttributes(chosen)) {
    const [value] = valuesOf(entry, name);
    if (value !== undefined)
      return `${name}=${name.toLowerCase() === GUID ? Buffer.from(value).toString('hex') : value.toString()}`;
  }
  return null;
}

/** Returns the filter for an id of `idOf`, or null when the text is not such an id. */
export function idFilter(id: string): Filter | null {
  const [, attribute, value] = /^([A-Za-z][A-Za-z0-9-]*)=(.+)$/s.exec(id) ?? [];
  if (attribute === undefined || value === undefined) return null;
  return new EqualityFilter({ attribute, value: attribute.toLowerCase() === GUID ? Buffer.from(value, 'hex') : value });
}

const filetimeIsPast = (value: string): boolean => {
  if (!/^\d{1,19}$/.test(value) || NEVER.has(BigInt(value))) return false;
  return BigInt(value) / 10_000n - FILETIME_EPOCH_MS <= BigInt(Date.now());
};

/** True when the directory has disabled or locked the account. */
export function isDisabled(entry: Entry): boolean {
  const control = Number(textOf(entry, 'userAccountControl') ?? 0);
  return (
    (control & ACCOUNT_DISABLE) !== 0 ||
    filetimeIsPast(textOf(entry, 'accountExpires') ?? '') ||
    textOf(entry, 'nsAccountLock')?.toLowerCase() === 'true' ||
    textOf(entry, 'pwdAccountLockedTime') === LOCKED_FOR_EVER
  );
}
