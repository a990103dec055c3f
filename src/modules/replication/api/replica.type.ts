import { Field, Float, HideField, Int, ObjectType } from '@nestjs/graphql';
import { ByteCount } from '../../../platform/graphql/scalars.js';
import { ServerReference } from '../../../platform/graphql/common.types.js';
import { type ReplicaState, REPLICA_STATES } from '../contracts/replica-view.js';
import { enumOf } from '../../../platform/graphql/enum-of.js';

export const ReplicaStateName = enumOf('ReplicaState', REPLICA_STATES, {
  type: 'How far the copy of a package on one server is.',
  values: {
    REQUESTED: 'Wanted; no chunk has been verified since.',
    FETCHING: 'Some chunks are verified. It goes on by itself, also after a restart.',
    PUBLISHED: 'Verified as a whole and held there.',
    FAILED: 'Given up for the reason in `failure`; `retryReplica` tries again.',
    WITHDRAWN: 'No longer held: removed, or its stage does not reach that server.',
  },
});

@ObjectType({ description: 'Neighbouring chunks.' })
export class ChunkRun {
  @Field(() => Int, { description: 'Index of the first, from 0.' })
  first!: number;

  @Field(() => Int)
  count!: number;
}

@ObjectType({ description: 'What stands in the way of a replica.' })
export class ReplicaProblem {
  @Field(() => String, { description: 'Stable, in capitals.' })
  code!: string;

  @Field(() => String, { description: 'What happened and what to do about it.' })
  reason!: string;
}

@ObjectType({ description: 'A server on the way of a copy.' })
export class LineageStep {
  @Field(() => ServerReference)
  server!: ServerReference;

  @Field(() => Date, {
    nullable: true,
    description: 'Since when it held the whole package, verified; null until it has told.',
  })
  verifiedAt!: Date | null;
}

@ObjectType({ description: 'The copy of a package on one server: this one, or one that told us of its copy.' })
export class Replica {
  @HideField()
  packageId!: string;

  @Field(() => ServerReference, { description: 'The server that the copy is on.' })
  server!: ServerReference;

  @Field(() => Boolean, { description: 'Is it the copy on this server?' })
  local!: boolean;

  @Field(() => ReplicaStateName)
  state!: ReplicaState;

  @Field(() => ByteCount, { description: 'Size of the whole package.' })
  size!: number;

  @Field(() => Int)
  chunkCount!: number;

  @Field(() => Int, { description: 'Chunks whose digests matched and which are written.' })
  verifiedChunks!: number;

  @Field(() => ByteCount)
  verifiedBytes!: number;

  @Field(() => [ChunkRun], { description: 'Which chunks are verified, in order.', complexity: 10 })
  verifiedRuns!: readonly ChunkRun[];

  @Field(() => Int, { description: 'Chunks that arrived damaged since it was last requested.' })
  rejectedChunks!: number;

  @Field(() => Float, { description: 'Verified part, from 0 to 1.' })
  progress!: number;

  @Field(() => ServerReference, { nullable: true, description: 'The peer that it is or was fetched from.' })
  sourcePeer!: ServerReference | null;

  @Field(() => ReplicaProblem, { nullable: true, description: 'Why it was given up.' })
  failure!: ReplicaProblem | null;

  @Field(() => ReplicaProblem, { nullable: true, description: 'What holds it up now. It is tried again by itself.' })
  delay!: ReplicaProblem | null;

  @Field(() => String, { nullable: true, description: 'What went wrong last while it was fetched.' })
  lastError!: string | null;

  @Field(() => Date, { nullable: true })
  requestedAt!: Date | null;

  @Field(() => Date, { nullable: true })
  publishedAt!: Date | null;

  @Field(() => [LineageStep], {
    description:
      'Through whom it came: from the server it was uploaded on to the one it is on. Empty while there is no copy.',
    complexity: 10,
  })
  lineage!: readonly LineageStep[];
}
