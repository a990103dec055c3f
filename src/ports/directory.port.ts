import type { RoleMap } from './directory-groups.js';

/** A person as the directory has them now. */
export interface DirectoryPerson {
  /** Stays the same when the person is renamed or moved (entryUUID, objectGUID). */
  readonly id: string;
  readonly dn: string;
  /** In the spelling of the directory, which may differ from what was entered. */
  readonly username: string;
  readonly displayName: string | null;
  /** Distinguished names. With `recursive`, they include the groups that contain a group of the person. */
  readonly groups: readonly string[];
  /** The person may not sign in to the directory. */
  readonly disabled: boolean;
}

/**
 * `refused` is the reason for the audit trail. It must not be shown to the person who signs in. `passwordIsRight` says that
 * the password is right, and the person is refused for another reason.
 */
export type DirectoryVerdict =
  | { readonly person: DirectoryPerson }
  | { readonly refused: string; readonly passwordIsRight?: boolean };

/** The directory cannot be asked now or with these settings. The message is for administrators and contains no secrets. */
export class DirectoryUnavailable extends Error {
  /** @param isGeneral false when the problem concerns only one person */
  constructor(
    message: string,
    cause?: unknown,
    readonly isGeneral = true,
  ) {
    super(message, { cause });
    this.name = 'DirectoryUnavailable';
  }
}

/** A service outside this server that keeps people, their passwords and their groups. */
export abstract class Directory {
  /** Its address. Null when there is no directory. */
  abstract readonly url: string | null;

  /** Finds the person with this name and password. Refuses an empty password. @throws DirectoryUnavailable */
  abstract authenticate(username: string, password: string): Promise<DirectoryVerdict>;

  /** Does the same work as `authenticate` with a wrong password, so that the time does not show which names the directory decides about. @throws DirectoryUnavailable */
  abstract imitateAuthentication(username: string): Promise<void>;

  /** Finds a person without a password. Null when nobody or more than one person has this name. @throws DirectoryUnavailable */
  abstract findPerson(username: string): Promise<DirectoryPerson | null>;

  /** Returns the people with these ids that the directory has now. @throws DirectoryUnavailable when this is not certain */
  abstract findPeople(ids: readonly string[]): Promise<readonly DirectoryPerson[]>;

  /** Signs in with the account of this server and looks for the search base. @throws DirectoryUnavailable */
  abstract checkAccess(): Promise<void>;

  /** Asks the directory anew from now on, where answers are remembered for a time. */
  forgetVerdicts(): void {
    // Only an implementation that remembers answers has something to forget.
  }
}

/** The settings of a directory (`LDAP_*`). */
export interface DirectorySettings {
  /** `ldap://host:port` or `ldaps://host:port`. */
  readonly url: string;
  readonly startTls: boolean;
  /** PEM. Null for the certificate authorities that Node.js trusts. */
  readonly ca: string | null;
  /** Null to search without signing in. */
  readonly bind: { readonly dn: string; readonly password: string } | null;
  readonly searchBase: string;
  /** `{{username}}` stands for the name that was entered. */
  readonly searchFilter: string;
  readonly groupSearchBase: string;
  /** `{{dn}}` and `{{username}}` stand for those of the person. */
  readonly groupFilter: string;
  /** True to search also for groups that contain a group of the person, on all levels. */
  readonly recursive: boolean;
  /** Null for entryUUID or objectGUID, depending on the directory. */
  readonly idAttribute: string | null;
  readonly roleMap: RoleMap;
  /** Limit for all steps of one sign-in together. */
  readonly timeoutMs: number;
}
