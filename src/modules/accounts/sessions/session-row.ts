import type { ListedSession } from '../../../ports/sessions.port.js';

/** A row of `state.sessions`, without the hash. */
export type SessionRow = ListedSession;

export const SESSION_COLUMNS = `id, account_id AS "accountId", opened_at AS "openedAt", last_seen_at AS "lastSeenAt",
  expires_at AS "expiresAt", address, user_agent AS "userAgent"`;

/** How long a session may go unused: nobody sits there any more. */
export const IDLE_TIMEOUT_MS = 2 * 60 * 60 * 1000;

/** Neither too old nor unused for too long. */
export const IS_OPEN_SQL = `expires_at > now() AND last_seen_at > now() - interval '${IDLE_TIMEOUT_MS} milliseconds'`;
