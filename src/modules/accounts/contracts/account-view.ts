import type { Permission } from '../../../kernel/permission.js';
import type { Role } from '../../../kernel/role.js';
import type { Stage } from '../../../kernel/stage.js';
import type { AccountSource } from './account.events.js';

/** An account, as it is shown. */
export interface AccountView {
  readonly id: string;
  readonly username: string;
  readonly displayName: string | null;
  readonly source: AccountSource;
  readonly roles: readonly Role[];
  readonly publishUpTo: Stage | null;
  readonly disabled: boolean;
  readonly mustChangePassword: boolean;
  readonly createdAt: Date;
  readonly lastSignedInAt: Date | null;
}

/** An API token that was not revoked, as it is shown. */
export interface ApiTokenView {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Permission[];
  readonly publishUpTo: Stage | null;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
  /** IP address. */
  readonly lastUsedFrom: string | null;
}
