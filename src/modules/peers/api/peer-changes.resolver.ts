import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { Args, ID, Mutation, Resolver } from '@nestjs/graphql';
import { Refusal } from '../../../kernel/errors.js';
import { Needs } from '../../../platform/access/needs.decorator.js';
import type { Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { currentContext } from '../../../platform/runtime/call-context.js';
import { optionalText, textArgument, uuidArgument } from '../../../platform/graphql/arguments.js';
import { KeyedLimit } from '../../../platform/limits/rate-limit.js';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { AcceptInvitation } from '../registration/accept-invitation.command.js';
import { CreateInvitation } from '../registration/create-invitation.command.js';
import { ResumePeer, SetPeerRights, SuspendPeer, UnregisterPeer, UpdatePeer } from '../registry/change-peer.command.js';
import { PeerQuery } from '../registry/peers.query.js';
import { flowChange, PeerDirection, PeerFlowInput } from './peer-policy.types.js';
import { PeerRightsInput, rightsChange } from './peer-rights.types.js';
import { Peer, PeerInvitation } from './peer.type.js';
import type { Direction } from '../../../kernel/transfer-policy.js';

/** Rate of invitations that one account may create and accept. A script may set up a thousand servers at once. */
const INVITATION_RATE = { burst: 2_000, perSecond: 5 };

const RIGHTS =
  'What the other server may publish and change here, from its first moment on. Of a server that is known here, what is ' +
  'left out stays as it is; a new one may do everything that is left out.';

@Resolver()
export class PeerChangesResolver {
  private readonly invitations = new KeyedLimit('Too many invitations', INVITATION_RATE);

  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readModels: ReadModels,
  ) {}

  @Needs('peers')
  @Mutation(() => PeerInvitation, {
    description:
      'Creates an invitation with which one other server can register with this one. Refusals: NOT_REACHABLE, INVALID_REQUEST, TOO_MANY_REQUESTS.',
  })
  createPeerInvitation(
    @Args('rights', { type: () => PeerRightsInput, nullable: true, description: RIGHTS })
    rights?: PeerRightsInput | null,
  ): Promise<PeerInvitation> {
    return this.createInvitation(new CreateInvitation(null, rightsChange(rights)));
  }

  @Needs('peers')
  @Mutation(() => PeerInvitation, {
    description:
      'Creates an invitation for a server that is known here and was restored or set up again. Only the server with this ' +
      'id can use it, and its key replaces the known one. Refusals: NOT_REACHABLE, INVALID_REQUEST, TOO_MANY_REQUESTS.',
  })
  createPeerInvitationFor(
    @Args('id', { type: () => ID }) id: string,
    @Args('rights', { type: () => PeerRightsInput, nullable: true, description: RIGHTS })
    rights?: PeerRightsInput | null,
  ): Promise<PeerInvitation> {
    return this.createInvitation(new CreateInvitation(uuidArgument('id', id), rightsChange(rights)));
  }

  @Needs('peers')
  @Mutation(() => Peer, {
    description:
      'Registers this server and the server that created the token with each other. Refusals: INVALID_INVITATION, ' +
      'INVITATION_EXPIRED, PEER_KEY_CONFLICT, PEER_ADDRESS_REFUSED, PEER_UNREACHABLE, INVALID_REQUEST, TOO_MANY_REQUESTS.',
  })
  async acceptPeerInvitation(
    @Args('token', { type: () => String }) token: string,
    @Args('replacesKey', {
      type: () => Boolean,
      defaultValue: false,
      description: 'The key in the invitation replaces another key by which that server is known here.',
    })
    replacesKey: boolean,
    @Args('rights', { type: () => PeerRightsInput, nullable: true, description: RIGHTS })
    rights?: PeerRightsInput | null,
  ): Promise<Peer> {
    this.invitations.take(currentContext().actor.id);
    const { peerId, receipt } = await this.commands.execute(
      new AcceptInvitation(token, replacesKey, rightsChange(rights)),
    );
    return this.loadChanged(peerId, receipt);
  }

  @Needs('peers')
  @Mutation(() => Peer, {
    description:
      'Changes the name or address of a peer on this server, and what is exchanged with it, when and how fast. ' +
      'Fields that are left out stay as they are. Refusals: PEER_NOT_FOUND, INVALID_REQUEST.',
  })
  updatePeer(
    @Args('id', { type: () => ID }) id: string,
    @Args('name', { type: () => String, nullable: true }) name?: string | null,
    @Args('url', { type: () => String, nullable: true }) url?: string | null,
    @Args('direction', { type: () => PeerDirection, nullable: true }) direction?: Direction | null,
    @Args('send', { type: () => PeerFlowInput, nullable: true }) send?: PeerFlowInput | null,
    @Args('receive', { type: () => PeerFlowInput, nullable: true }) receive?: PeerFlowInput | null,
  ): Promise<Peer> {
    const settings = { name: optionalText('name', name) ?? undefined, url: optionalText('url', url) ?? undefined };
    const flows = { send: flowChange('send', send), receive: flowChange('receive', receive) };
    const to = { ...settings, ...flows, direction: direction ?? undefined };
    return this.executeChange(id, new UpdatePeer(textArgument('id', id), to));
  }

  @Needs('peers')
  @Mutation(() => Peer, {
    description:
      'Changes what a peer may publish and change on this server. It counts for what arrives from now on; packages stay as ' +
      'they are. Fields that are left out stay as they are. Refusals: PEER_NOT_FOUND, INVALID_REQUEST.',
  })
  setPeerRights(
    @Args('id', { type: () => ID }) id: string,
    @Args('rights', { type: () => PeerRightsInput }) rights: PeerRightsInput,
  ): Promise<Peer> {
    return this.executeChange(id, new SetPeerRights(textArgument('id', id), rightsChange(rights) ?? {}));
  }

  @Needs('peers')
  @Mutation(() => Peer, {
    description: 'Stops the exchange with a peer until it is resumed. Refusals: PEER_NOT_FOUND.',
  })
  suspendPeer(@Args('id', { type: () => ID }) id: string): Promise<Peer> {
    return this.executeChange(id, new SuspendPeer(textArgument('id', id)));
  }

  @Needs('peers')
  @Mutation(() => Peer, {
    description: 'Continues the exchange with a suspended peer where it stopped. Refusals: PEER_NOT_FOUND.',
  })
  resumePeer(@Args('id', { type: () => ID }) id: string): Promise<Peer> {
    return this.executeChange(id, new ResumePeer(textArgument('id', id)));
  }

  @Needs('peers')
  @Mutation(() => Peer, {
    description: 'Ends the registration of a peer. Packages that came from it stay. Refusals: PEER_NOT_FOUND.',
  })
  unregisterPeer(@Args('id', { type: () => ID }) id: string): Promise<Peer> {
    return this.executeChange(id, new UnregisterPeer(textArgument('id', id)));
  }

  private async createInvitation(command: CreateInvitation): Promise<PeerInvitation> {
    this.invitations.take(currentContext().actor.id);
    const { token, expiresAt, receipt } = await this.commands.execute(command);
    await this.readModels.reflect(receipt);
    return { token, expiresAt };
  }

  private async executeChange(
    id: string,
    command: UpdatePeer | SetPeerRights | SuspendPeer | ResumePeer | UnregisterPeer,
  ): Promise<Peer> {
    return this.loadChanged(id, await this.commands.execute(command));
  }

  private async loadChanged(id: string, receipt: Receipt): Promise<Peer> {
    await this.readModels.reflect(receipt);
    const peer = await this.queries.execute(new PeerQuery(id));
    if (!peer) throw new Refusal('PEER_NOT_FOUND', 'There is no such peer.');
    return peer;
  }
}
