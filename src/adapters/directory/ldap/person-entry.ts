import { EqualityFilter, type Entry, type Filter } from 'ldapts';

/** Of Active Directory: an account that is disabled (userAccountControl). */
const ACCOUNT_DISABLE = 0x2;
/** Attributes that say whether somebody may sign in: Active Directory, 389 Directory Server, OpenLDAP's policy overlay. */
const STATE_ATTRIBUTES = ['userAccountControl', 'accountExpires', 'nsAccountLock', 'pwdAccountLockedTime'];
const LOCKED_FOR_EVER = '000001010000Z';
/** Active Directory counts 100 ns from 1601. */
const FILETIME_EPOCH_MS = 11_644_473_600_000n;
const NEVER = new Set([0n, 0x7fff_ffff_ffff_ffffn]);

const STANDARD_IDS = ['entryUUID', 'objectGUID'];
const GUID = 'objectguid';

const idAttributes = (chosen: string | null): readonly string[] => (chosen === null ? STANDARD_IDS : [chosen]);

export const wantedAttributes = (names: readonly string[], chosenId: string | null): string[] => [
  ...new Set([...names, 'displayName', 'cn', ...idAttributes(chosenId), ...STATE_ATTRIBUTES]),
];

/** Attributes whose bytes are no text. */
export const bufferAttributes = (chosenId: string | null): string[] =>
  idAttributes(chosenId).filter((name) => name.toLowerCase() === GUID);

const hasName =
  (name: string) =>
  ([key]: [string, unknown]): boolean =>
    key.toLowerCase() === name.toLowerCase();

/** All values of an attribute, whatever letter case the directory writes its name in. */
export function valuesOf(entry: Entry, attribute: string): readonly (string | Buffer)[] {
  const found = Object.entries(entry)
    .filter(hasName(attribute))
    .flatMap(([, value]) => value);
  return found.filter((value) => value.length > 0);
}

export const textOf = (entry: Entry, attribute: string): string | null => {
  const [value] = valuesOf(entry, attribute);
  return value === undefined ? null : value.toString();
};

/** `objectGUID=<hex>`: the attribute is a part of it, so that another setting does not find somebody else. */
export function idOf(entry: Entry, chosen: string | null): string | null {
  for (const name of idAttributes(chosen)) {
    const [value] = valuesOf(entry, name);
    if (value !== undefined)
      return `${name}=${name.toLowerCase() === GUID ? Buffer.from(value).toString('hex') : value.toString()}`;
  }
  return null;
}

/** The filter for an id that `idOf` gave; null when it is none. */
export function idFilter(id: string): Filter | null {
  const [, attribute, value] = /^([A-Za-z][A-Za-z0-9-]*)=(.+)$/s.exec(id) ?? [];
  if (attribute === undefined || value === undefined) return null;
  return new EqualityFilter({ attribute, value: attribute.toLowerCase() === GUID ? Buffer.from(value, 'hex') : value });
}

const filetimeIsPast = (value: string): boolean => {
  if (!/^\d{1,19}$/.test(value) || NEVER.has(BigInt(value))) return false;
  return BigInt(value) / 10_000n - FILETIME_EPOCH_MS <= BigInt(Date.now());
};

export function isDisabled(entry: Entry): boolean {
  const control = Number(textOf(entry, 'userAccountControl') ?? 0);
  return (
    (control & ACCOUNT_DISABLE) !== 0 ||
    filetimeIsPast(textOf(entry, 'accountExpires') ?? '') ||
    textOf(entry, 'nsAccountLock')?.toLowerCase() === 'true' ||
    textOf(entry, 'pwdAccountLockedTime') === LOCKED_FOR_EVER
  );
}
