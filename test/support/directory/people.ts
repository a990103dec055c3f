/** What a directory holds, for every server that a test starts. */
export const BASE = 'dc=example,dc=org';
export const PEOPLE = `ou=people,${BASE}`;
export const GROUPS = `ou=groups,${BASE}`;
export const BIND_DN = `cn=ods,${BASE}`;
export const BIND_PASSWORD = 'bind secret ß';
export const CROWD = 200;

export interface DirectoryEntry {
  readonly dn: string;
  readonly attributes: Readonly<Record<string, readonly string[]>>;
}

export const personDn = (uid: string): string => `uid=${uid},${PEOPLE}`;
export const groupDn = (name: string): string => `cn=${name},${GROUPS}`;
export const passwordOf = (uid: string): string => `password of ${uid}`;

const person = (uid: string, dn = personDn(uid)): DirectoryEntry => ({
  dn,
  attributes: {
    objectClass: ['inetOrgPerson'],
    uid: [uid],
    cn: [`Full ${uid}`],
    sn: [uid],
    displayName: [`The ${uid}`],
    userPassword: [passwordOf(uid)],
  },
});

const group = (name: string, ...member: string[]): DirectoryEntry => ({
  dn: groupDn(name),
  attributes: { objectClass: ['groupOfNames'], cn: [name], member },
});

const unit = (dn: string): DirectoryEntry => ({
  dn,
  attributes: { objectClass: ['organizationalUnit'], ou: [dn.slice(3, dn.indexOf(','))] },
});

/** Somebody whose name has everything that has to be escaped. */
export const ODD_DN = `cn=Zoë\\2C \\22the\\22 \\231 (a\\2Ab) \\2B,${PEOPLE}`;

/**
 * `ann` is in admins through two groups (staff in core, core in admins), `bob` in publishers himself, `cat` in nothing, `zoe`
 * has an odd name; `loop-a` and `loop-b` are members of each other. A crowd of 200 is in viewers.
 */
export const ENTRIES: readonly DirectoryEntry[] = [
  { dn: BASE, attributes: { objectClass: ['dcObject', 'organization'], dc: ['example'], o: ['Example'] } },
  {
    dn: BIND_DN,
    attributes: {
      objectClass: ['applicationProcess', 'simpleSecurityObject'],
      cn: ['ods'],
      userPassword: [BIND_PASSWORD],
    },
  },
  unit(PEOPLE),
  unit(GROUPS),
  ...['ann', 'bob', 'cat', 'loopy'].map((uid) => person(uid)),
  { ...person('zoe', ODD_DN), attributes: { ...person('zoe').attributes, cn: ['Zoë, "the" #1 (a*b) +'] } },
  ...Array.from({ length: CROWD }, (_, i) => person(`crowd${i}`)),
  group('staff', personDn('ann')),
  group('core', groupDn('staff')),
  group('admins', groupDn('core')),
  group('publishers', personDn('bob'), ODD_DN),
  group('loop-a', groupDn('loop-b'), personDn('loopy')),
  group('loop-b', groupDn('loop-a')),
  group('viewers', ...Array.from({ length: CROWD }, (_, i) => personDn(`crowd${i}`))),
];

/** A directory that a test has started and can change. */
export interface TestDirectory {
  readonly ldap: string;
  readonly ldaps: string;
  /** PEM of the authority whose certificate it shows. */
  readonly ca: string;
  removeMember(group: string, member: string): Promise<void>;
  addMember(group: string, member: string): Promise<void>;
  setPassword(dn: string, password: string): Promise<void>;
  remove(dn: string): Promise<void>;
  add(entry: DirectoryEntry): Promise<void>;
  stop(): Promise<void>;
}

export const personEntry = person;
