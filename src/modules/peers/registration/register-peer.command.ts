import { timingSafeEqual } from 'node:crypto';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/errors.js';
import type { KeySuccession } from '../../../kernel/introduction.js';
import { CommandRunner, type Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { PeerCallAudit } from '../../../platform/peer-calls/peer-call-audit.port.js';
import { withContext } from '../../../platform/runtime/call-context.js';
import { PeerDirectory } from '../../../ports/peer-directory.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { TwinCheck } from '../addresses/twin-check.js';
import { COPY_ADVICE } from '../contracts/shared-ids.js';
import { PeerChanges } from '../registry/change-peer.command.js';
import { IdentityCheck } from './identity-check.js';
import { hashSecret } from './invitation-token.js';
import { invitation, type InvitationState } from './invitation.decider.js';

/**
 * Registers a server that has proved to hold its key and sends the secret of an invitation of this server. Refusals:
 * INVALID_INVITATION, INVITATION_EXPIRED, PEER_KEY_CONFLICT, PEER_ID_SHARED, PEER_SUSPENDED, INVALID_REQUEST.
 */
export class RegisterPeer extends Command<RegisteredPeer> {
  constructor(
    readonly registration: {
      readonly invitationId: string;
      readonly secret: string;
      readonly serverId: string;
      readonly name: string;
      readonly url: string;
      readonly publicKey: string;
      /** The key of this server that the caller read in the invitation; null when it does not send it. */
      readonly expectedKey: string | null;
      /** Proofs that its key follows a former one. */
      readonly successions: readonly KeySuccession[];
    },
  ) {
    super();
  }
}

export interface RegisteredPeer {
  /** Identity of this server, for the caller. */
  readonly reply: {
    readonly serverId: string;
    readonly name: string;
    readonly url: string;
    readonly publicKey: string;
  };
  readonly receipt: Receipt;
}

type Registration = RegisterPeer['registration'];

/** Registering the same server with the same key again changes nothing. A refusal is recorded. */
@CommandHandler(RegisterPeer)
export class RegisterPeerHandler implements ICommandHandler<RegisterPeer> {
  constructor(
    private readonly runner: CommandRunner,
    private readonly identity: ServerIdentity,
    private readonly changes: PeerChanges,
    private readonly audit: PeerCallAudit,
    private readonly identities: IdentityCheck,
    private readonly directory: PeerDirectory,
    private readonly twins: TwinCheck,
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
      throw new Refusal('PEER_ID_SHARED', `A server with the id of this one wants to register. ${COPY_ADVICE}`);
    const invited = await this.runner.load(invitation, invitationId);
    const secretMatches = matchesSecret(invited, secret);
    const accept = {
      type: 'accept',
      invitationId,
      peerId,
      publicKey,
      secretMatches,
      now: new Date().toISOString(),
    } as const;
    if (secretMatches && expectedKey !== null && expectedKey !== ourPublicKey) throw outdatedInvitation();
    // Nobody learns what is known here without the secret of an invitation.
    if (secretMatches && invited?.forServerId !== peerId) this.identities.requireConsistent(registration, ASK_FOR_OWN);
    if (secretMatches) await this.refuseTwin(registration);
    return withContext({ actor: { kind: 'peer', id: peerId, name } }, async () => {
      await this.runner.run(invitation, invitationId, accept);
      const as = { peerId, name, url, publicKey, invitationId, ourPublicKey };
      return this.changes.changePeer(peerId, { type: 'register', as, rights: invited?.rights ?? null });
    });
  }

  /** An original that is registered here may be asked at its address whether it is still there. */
  private async refuseTwin({ serverId, publicKey, url }: Omit<Registration, 'secret'>): Promise<void> {
    const known = await this.directory.find(serverId);
    if (known?.publicKey === publicKey) await this.twins.refuseTwin(known, url);
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

const ASK_FOR_OWN =
  'If it was restored or set up again, create an invitation for this server (`createPeerInvitationFor`). Otherwise somebody poses as this server.';

/** The invitation contains a key that this server no longer uses, so the other server could not verify its calls. */
const outdatedInvitation = (): Refusal =>
  new Refusal(
    'INVALID_INVITATION',
    'This invitation was created before its server got a new key. Ask for a new invitation.',
  );

function matchesSecret(state: InvitationState, secret: string): boolean {
  const expected = Buffer.from(state?.secretHash ?? hashSecret(''), 'hex');
  return timingSafeEqual(expected, Buffer.from(hashSecret(secret), 'hex')) && state !== null;
}
