import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Sessions } from '../../../ports/sessions.port.js';
import { SignOut } from './sign-out.command.js';

@CommandHandler(SignOut)
export class SignOutHandler implements ICommandHandler<SignOut, void> {
  constructor(private readonly sessions: Sessions) {}

  execute({ token }: SignOut): Promise<void> {
    return this.sessions.close(token);
  }
}
