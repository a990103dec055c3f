import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../../kernel/refusal.js';
import { currentContext } from '../../../../platform/context/call-context.js';
import type { Receipt } from '../../../../platform/cqrs/command-runner.js';
import type { Principal } from '../../../../ports/principals.port.js';
import { Sessions } from '../../../../ports/sessions.port.js';
import { AccountChanges } from '../standing/account-changes.js';
import { RevokeOtherSessions, RevokeSession, SignOut, type ClosedSessions } from './close-sessions.command.js';

// A session is closed before that is on record: a crash in between leaves nobody signed in.

/** @throws Refusal INVALID_REQUEST */
function requireSession(): Principal {
  const { principal } = currentContext();
  if (principal?.proof.kind === 'session') return principal;
  throw new Refusal('INVALID_REQUEST', 'You are not signed in by a session.');
}

@CommandHandler(SignOut)
export class SignOutHandler implements ICommandHandler<SignOut> {
  constructor(
    private readonly sessions: Sessions,
    private readonly changes: AccountChanges,
  ) {}

  async execute(): Promise<Receipt> {
    const { proof, accountId } = requireSession();
    await this.sessions.close(proof.id);
    return this.changes.runCommand(accountId, { type: 'closeSession', sessionId: proof.id, how: 'signed out' });
  }
}

@CommandHandler(RevokeSession)
export class RevokeSessionHandler implements ICommandHandler<RevokeSession> {
  constructor(
    private readonly sessions: Sessions,
    private readonly changes: AccountChanges,
  ) {}

  async execute({ sessionId }: RevokeSession): Promise<Receipt> {
    const { principal } = currentContext();
    const session = await this.sessions.find(sessionId);
    const mayClose =
      session?.accountId === principal?.accountId || principal?.authority.permissions.includes('accounts');
    if (!session || !mayClose) throw new Refusal('SESSION_NOT_FOUND', 'You have no such session, or it has ended.');
    await this.sessions.close(session.id);
    return this.changes.runCommand(session.accountId, { type: 'closeSession', sessionId: session.id, how: 'revoked' });
  }
}

@CommandHandler(RevokeOtherSessions)
export class RevokeOtherSessionsHandler implements ICommandHandler<RevokeOtherSessions> {
  constructor(
    private readonly sessions: Sessions,
    private readonly changes: AccountChanges,
  ) {}

  async execute(): Promise<ClosedSessions> {
    const { proof, accountId } = requireSession();
    const count = await this.sessions.closeAll(accountId, proof.id);
    if (count === 0) return { count, receipt: { cursor: null, types: [] } };
    return {
      count,
      receipt: await this.changes.runCommand(accountId, { type: 'closeSession', sessionId: null, how: 'revoked' }),
    };
  }
}
