import { Field, ID, ObjectType } from '@nestjs/graphql';
import type { Direction } from '../../../kernel/transfer-policy.js';
import type { PeerRights } from '../contracts/peer-rights.js';
import { type PeerStatus, PEER_STATUSES } from '../contracts/peer-view.js';
import { PeerRightsType } from './peer-rights.types.js';
import { PeerDirection, PeerFlow } from './peer-policy.types.js';
import { enumOf } from '../../../platform/graphql/enum-of.js';

const PeerStateName = enumOf('PeerState', PEER_STATUSES, {
  type: 'State of the registration of a peer.',
  values: {
    REGISTERED: 'The two servers exchange packages as the direction says.',
    SUSPENDED: 'Nothing is exchanged until the peer is resumed.',
    UNREGISTERED: 'The registration has ended, and the key of the peer is no longer accepted.',
  },
});

@ObjectType({ description: 'Another server that is registered with this one.' })
export class Peer {
  @Field(() => ID, { description: 'Id of the other server.' })
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String, { description: 'Base URL of the other server.' })
  url!: string;

  @Field(() => String, { description: 'Ed25519 public key of the other server (32 bytes, base64url).' })
  publicKey!: string;

  @Field(() => PeerStateName)
  state!: PeerStatus;

  @Field(() => PeerDirection)
  direction!: Direction;

  @Field(() => PeerFlow, { description: 'Packages that the peer gets from this server.' })
  send!: PeerFlow;

  @Field(() => PeerFlow, { description: 'Packages that this server takes from the peer.' })
  receive!: PeerFlow;

  @Field(() => PeerRightsType, {
    description:
      'What the peer may publish and change. This server refuses everything else that it is told of the peer.',
  })
  rights!: PeerRights;

  @Field(() => Date)
  registeredAt!: Date;

  @Field(() => Date, { description: 'When the state or the settings of the peer last changed.' })
  changedAt!: Date;

  @Field(() => Boolean, {
    description:
      'Whether the peer has recorded the current key of this server. If not, the key is announced to it as soon as it answers.',
  })
  knowsOurKey!: boolean;
}

@ObjectType({ description: 'An invitation, with which one other server can register with this one, once.' })
export class PeerInvitation {
  @Field(() => String, { description: 'Text to paste on the other server. It is shown only once.' })
  token!: string;

  @Field(() => Date)
  expiresAt!: Date;
}
