import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/errors.js';
import type { Principal } from '../../../platform/access/access.port.js';
import type { Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { currentContext } from '../../../platform/runtime/call-context.js';
import { AccountChanges } from '../accounts/account-changes.js';
import { SessionStore } from './session-store.js';

/** Closes the session of the call. Refusal: INVALID_REQUEST when the call has an API token instead. */
export class SignOut extends Command<Receipt> {}

/** Closes a session of the caller, or with the permission `accounts` any session. Refusal: SESSION_NOT_FOUND. */
export class RevokeSession extends Command<Receipt> {
  constructor(readonly sessionId: string) {
    super();
  }
}

interface ClosedSessions {
  readonly count: number;
  readonly receipt: Receipt;
}

/** Closes all sessions of the caller except the one of this call. Refusal: INVALID_REQUEST without a session. */
export class RevokeOtherSessions extends Command<ClosedSessions> {}

// A session is closed before the event is appended, so that a crash in between leaves nobody signed in.

/** Returns who made this call with a session. @throws Refusal INVALID_REQUEST without a session */
function requireSession(): Principal {
  const { principal } = currentContext();
  if (principal?.proof.kind === 'session') return principal;
  throw new Refusal('INVALID_REQUEST', 'This call needs a session. It was made without one or with an API token.');
}

@CommandHandler(SignOut)
export class SignOutHandler implements ICommandHandler<SignOut> {
  constructor(
    private readonly sessions: SessionStore,
    private readonly changes: AccountChanges,
  ) {}

  async execute(): Promise<Receipt> {
    const { proof, accountId } = requireSession();
    await this.sessions.closeSession(proof.id);
    return this.changes.runCommand(accountId, { type: 'closeSession', sessionId: proof.id, how: 'signed out' });
  }
}

@CommandHandler(RevokeSession)
export class RevokeSessionHandler implements ICommandHandler<RevokeSession> {
  constructor(
    private readonly sessions: SessionStore,
    private readonly changes: AccountChanges,
  ) {}

  async execute({ sessionId }: RevokeSession): Promise<Receipt> {
    const { principal } = currentContext();
    const session = await this.sessions.findSession(sessionId);
    const mayClose =
      session?.accountId === principal?.accountId || principal?.authority.permissions.includes('accounts');
    if (!session || !mayClose)
      throw new Refusal('SESSION_NOT_FOUND', 'You have no session with this id, or it has ended.');
    await this.sessions.closeSession(session.id);
    return this.changes.runCommand(session.accountId, { type: 'closeSession', sessionId: session.id, how: 'revoked' });
  }
}

@CommandHandler(RevokeOtherSessions)
export class RevokeOtherSessionsHandler implements ICommandHandler<RevokeOtherSessions> {
  constructor(
    private readonly sessions: SessionStore,
    private readonly changes: AccountChanges,
  ) {}

  async execute(): Promise<ClosedSessions> {
    const { proof, accountId } = requireSession();
    const count = await this.sessions.closeSessionsOf(accountId, proof.id);
    if (count === 0) return { count, receipt: { cursor: null, types: [] } };
    return {
      count,
      receipt: await this.changes.runCommand(accountId, { type: 'closeSession', sessionId: null, how: 'revoked' }),
    };
  }
}
