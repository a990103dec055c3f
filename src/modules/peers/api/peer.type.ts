import { Field, ID, ObjectType } from '@nestjs/graphql';
import type { Direction } from '../../../kernel/transfer-policy.js';
import { type PeerStatus, PEER_STATUSES } from '../contracts/peer-view.js';
import { PeerDirection, PeerFlow } from './peer-policy.types.js';
import { enumOf } from '../../../platform/graphql/enum-of.js';

export const PeerStateName = enumOf('PeerState', PEER_STATUSES, {
  type: 'What this server has to do with a peer.',
  values: {
    REGISTERED: 'Both servers follow each other.',
    SUSPENDED: 'Nothing is exchanged until it is resumed.',
    UNREGISTERED: 'Its key opens nothing any more.',
  },
});

@ObjectType({ description: 'Another server that this one is registered with.' })
export class Peer {
  @Field(() => ID, { description: "The other server's own id." })
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String, { description: 'Base URL under which it is reached.' })
  url!: string;

  @Field(() => String, { description: 'Raw Ed25519 public key, base64url.' })
  publicKey!: string;

  @Field(() => PeerStateName)
  state!: PeerStatus;

  @Field(() => PeerDirection)
  direction!: Direction;

  @Field(() => PeerFlow, { description: 'What the peer gets from this server.' })
  send!: PeerFlow;

  @Field(() => PeerFlow, { description: 'What this server takes from the peer.' })
  receive!: PeerFlow;

  @Field(() => Date)
  registeredAt!: Date;

  @Field(() => Date, { description: 'When its state or settings changed last.' })
  changedAt!: Date;

  @Field(() => Boolean, {
    description: 'Does it know the last key of this server? If not, it is told as soon as it answers.',
  })
  knowsOurKey!: boolean;
}

@ObjectType({ description: 'What the other server needs to register here. It can be used once.' })
export class PeerInvitation {
  @Field(() => String, { description: 'To be pasted on the other server. Shown once.' })
  token!: string;

  @Field(() => Date)
  expiresAt!: Date;
}
