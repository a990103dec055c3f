import { randomBytes } from 'node:crypto';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/errors.js';
import { CommandRunner, type Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { newId } from '../../../platform/runtime/ids.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { encodeToken, hashSecret } from './invitation-token.js';
import { invitation } from './invitation.decider.js';

/** Invites one other server to register with this one. Refusal: NOT_REACHABLE. */
export class CreateInvitation extends Command<CreatedInvitation> {}

interface CreatedInvitation {
  /** The text to paste on the other server. It contains the secret and is shown once. */
  readonly token: string;
  readonly expiresAt: Date;
  readonly receipt: Receipt;
}

const INVITE_FROM_THERE =
  'Other servers cannot call this server (its setting `reachable` is false), so they cannot accept its invitation. Create the invitation on the other server and accept it here.';

const LIFETIME_MS = 60 * 60 * 1000;

@CommandHandler(CreateInvitation)
export class CreateInvitationHandler implements ICommandHandler<CreateInvitation> {
  constructor(
    private readonly runner: CommandRunner,
    private readonly identity: ServerIdentity,
  ) {}

  async execute(): Promise<CreatedInvitation> {
    const { url, serverId, publicKey, reachable } = this.identity;
    if (!reachable) throw new Refusal('NOT_REACHABLE', INVITE_FROM_THERE);
    const invitationId = newId();
    const secret = randomBytes(32).toString('base64url');
    const expires = new Date(Date.now() + LIFETIME_MS);
    const expiresAt = expires.toISOString();
    const as = { invitationId, secretHash: hashSecret(secret), expiresAt };
    const { receipt } = await this.runner.run(invitation, invitationId, { type: 'invite', as });
    const token = encodeToken({ v: 1, invitationId, url, serverId, publicKey, secret, expiresAt });
    return { token, expiresAt: expires, receipt };
  }
}
