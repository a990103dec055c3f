import { Injectable, Logger } from '@nestjs/common';
import { Refusal } from '../../kernel/errors.js';
import { Principals, type Principal } from '../access/access.port.js';
import type { SignedInCaller } from '../access/caller.js';

/** What of a WebSocket is needed here. */
interface Closable {
  close(code: number, reason: string): void;
  once(event: 'close', listener: () => void): unknown;
}

/** A session that expired may go on receiving for so long. */
const RECHECK_INTERVAL_MS = 60_000;
const UNAUTHORIZED = 4401;
const FORBIDDEN = 4403;

const hasLost = (before: Principal, now: Principal): boolean =>
  now.mustChangePassword ||
  before.authority.permissions.some((permission) => !now.authority.permissions.includes(permission));

/**
 * Ends subscriptions with what they rest on: when the account is disabled, the session or token closed, revoked or
 * expired, or a permission lost. That is known at once in every process, but for expiry, which is looked for.
 */
@Injectable()
export class WatchedRights {
  private readonly logger = new Logger('GraphQL');

  constructor(private readonly principals: Principals) {}

  /** Until the socket is closed, by whomever. */
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
    const timer = setInterval(() => void recheck(), RECHECK_INTERVAL_MS).unref();
    const stop = this.principals.onChange((accountId) => {
      if (accountId === caller.principal.accountId) void recheck();
    });
    socket.once('close', () => {
      clearInterval(timer);
      stop();
    });
  }

  /** A database that is away ends nothing; a token that has expired does. */
  private principalAfterError(error: unknown, last: SignedInCaller): Principal | null {
    if (error instanceof Refusal) return null;
    this.logger.warn(`A session could not be checked again: ${String(error)}`);
    return last.principal;
  }
}
