import { Injectable, Logger } from '@nestjs/common';
import { Refusal } from '../../kernel/errors.js';
import { Principals, type Principal } from '../access/access.port.js';
import type { SignedInCaller } from '../access/caller.js';

/** The part of a WebSocket that `WatchedRights` uses. */
interface Closable {
  close(code: number, reason: string): void;
  once(event: 'close', listener: () => void): unknown;
}

/** Interval at which a session or token is checked again. A session that is not used ends within it. */
const RECHECK_INTERVAL_MS = 60_000;
/** Code with which the server closes a WebSocket when the session or token is no longer valid. */
const UNAUTHORIZED = 4401;
/** Code with which the server closes a WebSocket when the account has lost a permission. */
const FORBIDDEN = 4403;

const hasLost = (before: Principal, now: Principal): boolean =>
  now.mustChangePassword ||
  before.authority.permissions.some((permission) => !now.authority.permissions.includes(permission));

/**
 * Closes the WebSocket of a caller whose account is disabled or loses a permission, or whose session or token is
 * closed, revoked or expired. Every process learns of such a change at once, and the time of expiry is known. That a
 * session is not used any more is checked at an interval of 60 s.
 */
@Injectable()
export class WatchedRights {
  private readonly logger = new Logger('GraphQL');

  constructor(private readonly principals: Principals) {}

  /**
   * Checks the rights of a caller until the socket is closed. Calls `update` with the current rights after each check
   * that the caller passes.
   */
  watchCaller(caller: SignedInCaller, socket: Closable, update: (now: SignedInCaller) => void): void {
    let last = caller;
    const recheck = async (): Promise<void> => {
      const principal = await this.principals
        .authenticate(caller.token, null)
        .catch((error: unknown) => this.principalAfterError(error, last));
      if (!principal) return socket.close(UNAUTHORIZED, 'The session has ended');
      if (hasLost(last.principal, principal))
        return socket.close(FORBIDDEN, 'Your permissions have changed. Connect again');
      last = { ...last, principal };
      update(last);
    };
    let timer: NodeJS.Timeout;
    const schedule = (): void => {
      const leftMs = last.principal.expiresAt.getTime() - Date.now();
      // A session or token counts as expired once its time has passed.
      const waitMs = leftMs > 0 ? Math.min(leftMs + 1, RECHECK_INTERVAL_MS) : RECHECK_INTERVAL_MS;
      timer = setTimeout(() => {
        void recheck();
        schedule();
      }, waitMs).unref();
    };
    schedule();
    const stop = this.principals.onChange((accountId) => {
      if (accountId === caller.principal.accountId) void recheck();
    });
    socket.once('close', () => {
      clearTimeout(timer);
      stop();
    });
  }

  /** An expired token ends the connection. When the database is unavailable, the last known rights stay in effect. */
  private principalAfterError(error: unknown, last: SignedInCaller): Principal | null {
    if (error instanceof Refusal) return null;
    this.logger.warn(`A session could not be checked again: ${String(error)}`);
    return last.principal;
  }
}
