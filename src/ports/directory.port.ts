import type { RoleMap } from '../kernel/directory-groups.js';

/** A person as the directory has them now. */
export interface DirectoryPerson {
  /** Stays the same when they are renamed or moved (entryUUID, objectGUID). */
  readonly id: string;
  readonly dn: string;
  /** In the directory's spelling, whatever was typed. */
  readonly username: string;
  readonly displayName: string | null;
  /** Distinguished names, with those that they are members of through other groups where the settings ask for it. */
  readonly groups: readonly string[];
  /** May not sign in there. */
  readonly disabled: boolean;
}

/** `refused` says why, for the audit trail; a stranger must not be told. */
export type DirectoryVerdict = { readonly person: DirectoryPerson } | { readonly refused: string };

/** The directory can't be asked now, or not with these settings. The message is for administrators and has no secrets. */
export class DirectoryUnavailable extends Error {
  /** @param isGeneral false when it went wrong with one person only, and others may have no trouble */
  constructor(
    message: string,
    cause?: unknown,
    readonly isGeneral = true,
  ) {
    super(message, { cause });
    this.name = 'DirectoryUnavailable';
  }
}

/** What keeps people, their passwords and their groups outside this server. */
export abstract class Directory {
  /** Where it is; null when there is none. */
  abstract readonly url: string | null;

  /** Who has this name and password. An empty password is nobody's. @throws DirectoryUnavailable */
  abstract authenticate(username: string, password: string): Promise<DirectoryVerdict>;

  /** The work of `authenticate` for a wrong password, in vain: for names that the directory must not decide about. @throws DirectoryUnavailable */
  abstract imitateAuthentication(username: string): Promise<void>;

  /** Without a password. Null when there is nobody of this name, or more than one. @throws DirectoryUnavailable */
  abstract findPerson(username: string): Promise<DirectoryPerson | null>;

  /** Those of these ids who are there now. @throws DirectoryUnavailable when it is not sure who is */
  abstract findPeople(ids: readonly string[]): Promise<readonly DirectoryPerson[]>;

  /** Signs in with the account of this server and looks for the search base. @throws DirectoryUnavailable */
  abstract checkAccess(): Promise<void>;
}

/** How a directory is reached and searched (`LDAP_*`). */
export interface DirectorySettings {
  /** `ldap://host:port` or `ldaps://host:port`. */
  readonly url: string;
  readonly startTls: boolean;
  /** PEM; null for the certificate authorities that Node knows. */
  readonly ca: string | null;
  /** Null to search without signing in. */
  readonly bind: { readonly dn: string; readonly password: string } | null;
  readonly searchBase: string;
  /** `{{username}}` stands for what was typed. */
  readonly searchFilter: string;
  readonly groupSearchBase: string;
  /** `{{dn}}` and `{{username}}` stand for those of the person. */
  readonly groupFilter: string;
  /** Also look for the groups that have a group of the person as a member, again and again. */
  readonly recursive: boolean;
  /** Null for entryUUID or objectGUID, whichever the directory has. */
  readonly idAttribute: string | null;
  readonly roleMap: RoleMap;
  /** For everything that belongs to one sign-in. */
  readonly timeoutMs: number;
}
