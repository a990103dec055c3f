import { randomBytes } from 'node:crypto';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/errors.js';
import { CommandRunner, type Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { newId } from '../../../platform/runtime/ids.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import type { RightsChange } from '../contracts/peer-rights.js';
import { LiveKnownKeys } from '../keys/live-known-keys.js';
import { encodeToken, hashSecret, MAX_SUCCESSIONS } from './invitation-token.js';
import { invitation } from './invitation.decider.js';

/**
 * Invites one other server to register with this one. With an id, only that server can use the invitation, and a key that
 * contradicts what is known of it replaces the known one. Refusals: NOT_REACHABLE, INVALID_REQUEST.
 */
export class CreateInvitation extends Command<CreatedInvitation> {
  /** @param rights that the server gets when it registers; what it had or was not limited in stays when they are left out */
  constructor(
    readonly forServerId: string | null = null,
    readonly rights: RightsChange | null = null,
  ) {
    super();
  }
}

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
    private readonly keys: LiveKnownKeys,
  ) {}

  async execute({ forServerId, rights }: CreateInvitation): Promise<CreatedInvitation> {
    const { url, serverId, publicKey, reachable } = this.identity;
    if (!reachable) throw new Refusal('NOT_REACHABLE', INVITE_FROM_THERE);
    const invitationId = newId();
    const secret = randomBytes(32).toString('base64url');
    const expires = new Date(Date.now() + LIFETIME_MS);
    const expiresAt = expires.toISOString();
    const as = { invitationId, secretHash: hashSecret(secret), expiresAt, forServerId, rights };
    const { receipt } = await this.runner.run(invitation, invitationId, { type: 'invite', as });
    const successions = this.keys.successions.slice(-MAX_SUCCESSIONS);
    const token = encodeToken({ v: 1, invitationId, url, serverId, publicKey, secret, expiresAt, successions });
    return { token, expiresAt: expires, receipt };
  }
}
