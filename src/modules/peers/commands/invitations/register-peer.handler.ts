import { timingSafeEqual } from 'node:crypto';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../../kernel/refusal.js';
import { withContext } from '../../../../platform/context/call-context.js';
import { CommandRunner, type Receipt } from '../../../../platform/cqrs/command-runner.js';
import { LiveViews } from '../../../../platform/live-view/live-views.js';
import { PeerCallAudit } from '../../../../ports/peer-call-audit.port.js';
import { ServerIdentity } from '../../../../ports/server-identity.port.js';
import { invitation, type InvitationState } from '../../domain/invitation.decider.js';
import { peer } from '../../domain/peer.decider.js';
import { hashSecret } from './invitation-token.js';
import { RegisterPeer, type RegisteredPeer } from './register-peer.command.js';

type Registration = RegisterPeer['registration'];

/** Running it twice for the same server and key changes nothing; a refusal is on record. */
@CommandHandler(RegisterPeer)
export class RegisterPeerHandler implements ICommandHandler<RegisterPeer, RegisteredPeer> {
  constructor(
    private readonly runner: CommandRunner,
    private readonly identity: ServerIdentity,
    private readonly audit: PeerCallAudit,
    private readonly views: LiveViews,
  ) {}

  async execute({ registration }: RegisterPeer): Promise<RegisteredPeer> {
    const receipt = await this.acceptAndRegister(registration).catch(async (error: unknown) => {
      if (error instanceof Refusal) await this.recordRefusal(registration, error);
      throw error;
    });
    const { serverId, name, url, publicKey } = this.identity;
    return { reply: { serverId, name, url, publicKey }, receipt };
  }

  private async acceptAndRegister({ secret, ...registration }: Registration): Promise<Receipt> {
    const { invitationId, serverId: peerId, name, url, publicKey, expectedKey } = registration;
    const ourPublicKey = this.identity.publicKey;
    if (peerId === this.identity.serverId)
      throw new Refusal('INVALID_INVITATION', "A server can't register with itself.");
    const secretMatches = matchesSecret(await this.runner.load(invitation, invitationId), secret);
    const accept = {
      type: 'accept',
      invitationId,
      peerId,
      publicKey,
      secretMatches,
      now: new Date().toISOString(),
    } as const;
    if (secretMatches && expectedKey !== null && expectedKey !== ourPublicKey) throw outdatedInvitation();
    return withContext({ actor: { kind: 'peer', id: peerId, name } }, async () => {
      await this.runner.run(invitation, invitationId, accept);
      const as = { peerId, name, url, publicKey, invitationId, ourPublicKey };
      const { receipt } = await this.runner.run(peer, peerId, { type: 'register', as });
      await this.views.reflect(receipt);
      return receipt;
    });
  }

  private recordRefusal({ serverId }: Registration, { code, message }: Refusal): Promise<void> {
    return this.audit.refused({
      code,
      reason: message,
      method: 'POST',
      path: '/peer/v1/registrations',
      keyId: serverId,
    });
  }
}

/** It names a key that is no longer ours: the other side would not know us by it. */
const outdatedInvitation = (): Refusal =>
  new Refusal(
    'INVALID_INVITATION',
    'This invitation was made before the key of its server was changed. Ask for a new one.',
  );

function matchesSecret(state: InvitationState, secret: string): boolean {
  const expected = Buffer.from(state?.secretHash ?? hashSecret(''), 'hex');
  return timingSafeEqual(expected, Buffer.from(hashSecret(secret), 'hex')) && state !== null;
}
