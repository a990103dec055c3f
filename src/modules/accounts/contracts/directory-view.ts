import type { Role } from '../../../kernel/role.js';
import type { Stage } from '../../../kernel/stage.js';

/** The directory and how it does, as it is shown. Never the password of the bind account. */
export interface DirectoryStatus {
  readonly configured: boolean;
  readonly url: string | null;
  /** `none`, `StartTLS` or `TLS`; null without a directory. */
  readonly encryption: string | null;
  readonly bindDn: string | null;
  readonly searchBase: string | null;
  /** Null without a directory. */
  readonly reachable: boolean | null;
  /** What is wrong now, or was at the last refresh. */
  readonly lastError: string | null;
  readonly lastRefreshAt: Date | null;
  readonly lastRefreshFailedAt: Date | null;
  /** Accounts that the last refresh looked up; null before the first. */
  readonly accountsInUse: number | null;
}

/** What would happen if somebody of this name signed in. */
export interface DirectoryTest {
  readonly found: boolean;
  readonly dn: string | null;
  readonly username: string | null;
  readonly displayName: string | null;
  readonly externalId: string | null;
  readonly disabled: boolean;
  readonly groups: readonly string[];
  readonly roles: readonly Role[];
  readonly publishUpTo: Stage | null;
  /** In words. */
  readonly verdict: string;
}
