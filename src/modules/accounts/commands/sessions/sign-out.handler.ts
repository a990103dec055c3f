import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../../kernel/refusal.js';
import { currentContext } from '../../../../platform/context/call-context.js';
import { CommandRunner, type Receipt } from '../../../../platform/cqrs/command-runner.js';
import { Sessions } from '../../../../ports/sessions.port.js';
import { account } from '../../domain/account.decider.js';
import { SignOut } from './sign-out.command.js';

/** The session is closed before that is on record: a crash in between leaves nobody signed in. */
@CommandHandler(SignOut)
export class SignOutHandler implements ICommandHandler<SignOut> {
  constructor(
    private readonly sessions: Sessions,
    private readonly runner: CommandRunner,
  ) {}

  async execute(): Promise<Receipt> {
    const { principal } = currentContext();
    if (principal?.proof.kind !== 'session') throw new Refusal('INVALID_REQUEST', 'There is no session to sign out of.');
    const { proof, accountId } = principal;
    await this.sessions.close(proof.id);
    const command = { type: 'closeSession', sessionId: proof.id, how: 'signed out' } as const;
    return (await this.runner.run(account, accountId, command)).receipt;
  }
}
