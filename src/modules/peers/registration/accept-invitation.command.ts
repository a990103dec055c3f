import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { z } from 'zod';
import { Refusal } from '../../../kernel/errors.js';
import { CommandRunner, type Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { LowerUuid, PublicKey, serverName } from '../../../platform/input/parsers.js';
import { describeFault, wireSchema } from '../../../platform/input/wire-schema.js';
import { ExpectedPeers } from '../../../platform/peer-calls/expected-peers.js';
import { MAX_SMALL_ANSWER_BYTES, PeerTransport, PeerUnreachable } from '../../../ports/peer-transport.port.js';
import { PeerDirectory } from '../../../ports/peer-directory.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { ALL_RIGHTS, applyRightsChange, type RightsChange } from '../contracts/peer-rights.js';
import { TwinCheck } from '../addresses/twin-check.js';
import { COPY_ADVICE } from '../contracts/shared-ids.js';
import { PeerChanges } from '../registry/change-peer.command.js';
import { LiveKnownKeys } from '../keys/live-known-keys.js';
import { invitation } from './invitation.decider.js';
import { IdentityCheck } from './identity-check.js';
import { decodeToken, type InvitationToken } from './invitation-token.js';

/** Registers this server and the server that created the token with each other. Refusals: INVALID_INVITATION, INVITATION_EXPIRED, PEER_KEY_CONFLICT, PEER_ID_SHARED, PEER_SUSPENDED, PEER_ADDRESS_REFUSED, PEER_UNREACHABLE, INVALID_REQUEST. */
export class AcceptInvitation extends Command<AcceptedInvitation> {
  /**
   * @param replacesKey is true when the server may be known with another key, which the key of the token replaces
   * @param rights that the server gets here with the registration
   */
  constructor(
    readonly token: string,
    readonly replacesKey = false,
    readonly rights: RightsChange | null = null,
  ) {
    super();
  }
}

interface AcceptedInvitation {
  readonly peerId: string;
  readonly receipt: Receipt;
}

const Reply = wireSchema(
  'answer to a registration',
  z.object({ serverId: LowerUuid, publicKey: PublicKey, name: serverName() }),
);

/** The advice for an answer of the other server, by its code. */
const ANSWERS = {
  INVITATION_EXPIRED: 'This invitation has expired. Ask for a new one.',
  INVALID_INVITATION:
    'The other server does not accept this invitation, because it is unknown or was used before. Ask for a new one.',
  PEER_WRONG_SERVER:
    'The address in this invitation leads to another server than the one that created it. Correct ODST_URL on the server that created it, and create a new invitation.',
  PEER_ID_SHARED: `The other server knows a server with the id and key of this one at another address. ${COPY_ADVICE}`,
  PEER_SUSPENDED:
    'This server is registered on the other server and suspended there. Ask the administrator of the other server to resume it.',
  PEER_KEY_CONFLICT:
    'The other server knows this server with another key. Ask its administrator for an invitation that is made for this server (`createPeerInvitationFor`).',
} as const;

const isAnswered = (code: string | null): code is keyof typeof ANSWERS => code !== null && Object.hasOwn(ANSWERS, code);

const CONFIRM_KEY =
  'If it was restored or set up again, compare the fingerprints of its keys with its administrator, and accept the invitation with `replacesKey: true`. Otherwise somebody poses as this server.';

const OWN_INVITATION =
  'This invitation was created by this server. Paste it on the other server. If you did, the other server has the id of this one.';

const INVITE_FROM_HERE =
  'If this server cannot call the other one, for example because of a firewall, create the invitation here and accept it there.';

/**
 * The other server registers this one first, and may call before its reply has arrived; until then it is let in as an
 * expected peer. After a crash in between, accepting the same token again completes the registration, because the other
 * server ignores it when the same server uses its invitation again.
 */
@CommandHandler(AcceptInvitation)
export class AcceptInvitationHandler implements ICommandHandler<AcceptInvitation> {
  constructor(
    private readonly changes: PeerChanges,
    private readonly identity: ServerIdentity,
    private readonly transport: PeerTransport,
    private readonly expected: ExpectedPeers,
    private readonly identities: IdentityCheck,
    private readonly keys: LiveKnownKeys,
    private readonly runner: CommandRunner,
    private readonly directory: PeerDirectory,
    private readonly twins: TwinCheck,
  ) {}

  async execute(command: AcceptInvitation): Promise<AcceptedInvitation> {
    const token = decodeToken(command.token);
    if (token.serverId === this.identity.serverId) throw await this.explainOwnId(token);
    if (Date.now() > Date.parse(token.expiresAt)) throw new Refusal('INVITATION_EXPIRED', ANSWERS.INVITATION_EXPIRED);
    // The other server must not register this one when its rights here cannot be recorded.
    if (command.rights !== null) applyRightsChange(ALL_RIGHTS, command.rights);
    if (!command.replacesKey) this.identities.requireConsistent(token, CONFIRM_KEY);
    return this.expected.whileRegistering(token.serverId, token.publicKey, () =>
      this.registerWith(token, command.rights),
    );
  }

  /** Only the server that created an invitation has it in its log. */
  private async explainOwnId({ invitationId }: InvitationToken): Promise<Refusal> {
    const isOurs = (await this.runner.load(invitation, invitationId)) !== null;
    if (isOurs) return new Refusal('INVALID_INVITATION', `${OWN_INVITATION} ${COPY_ADVICE}`);
    return new Refusal(
      'PEER_ID_SHARED',
      `Another server with the id of this one created this invitation. ${COPY_ADVICE}`,
    );
  }

  private async registerWith(token: InvitationToken, rights: RightsChange | null): Promise<AcceptedInvitation> {
    const ourPublicKey = this.identity.publicKey;
    const { name } = await this.askForRegistration(token, ourPublicKey);
    const known = await this.directory.find(token.serverId);
    if (known?.publicKey === token.publicKey) await this.twins.refuseTwin(known, token.url);
    // The address and the key come from the token, which the administrators exchanged in a way that they trust.
    const { serverId: peerId, url, publicKey, invitationId } = token;
    const as = { peerId, name, url, publicKey, invitationId, ourPublicKey };
    const receipt = await this.changes.changePeer(peerId, { type: 'register', as, rights });
    return { peerId, receipt };
  }

  private async askForRegistration(token: InvitationToken, ourPublicKey: string): Promise<{ name: string }> {
    const { serverId, name, url } = this.identity;
    const { invitationId, secret, publicKey: expectedKey } = token;
    const { successions } = this.keys;
    const body = { invitationId, secret, serverId, name, url, publicKey: ourPublicKey, expectedKey, successions };
    const server = { name: token.url, url: token.url };
    const answer = await this.transport
      .post(server, '/peer/v1/registrations', body, MAX_SMALL_ANSWER_BYTES, { to: token.serverId, key: ourPublicKey })
      .catch(explainFailure);
    const { data: reply, fault } = Reply.read(answer);
    if (fault !== null) {
      const problem = describeFault(fault, 'it');
      throw new Refusal('PEER_UNREACHABLE', `The answer of the server at ${token.url} cannot be accepted: ${problem}`);
    }
    if (reply.serverId !== token.serverId || reply.publicKey !== token.publicKey) {
      throw new Refusal('PEER_UNREACHABLE', `The server at ${token.url} is not the one that created this invitation.`);
    }
    return reply;
  }
}

function explainFailure(error: unknown): never {
  if (!(error instanceof PeerUnreachable)) throw error;
  if (error.status === null && error.code === 'PEER_ADDRESS_REFUSED')
    throw new Refusal(error.code, `${error.message}.`);
  if (isAnswered(error.code)) throw new Refusal(error.code, ANSWERS[error.code]);
  const code = error.code === null ? '' : ` (${error.code})`;
  const advice = error.status === null ? ` ${INVITE_FROM_HERE}` : '';
  throw new Refusal('PEER_UNREACHABLE', `The call to the other server failed: ${error.message}${code}.${advice}`);
}
