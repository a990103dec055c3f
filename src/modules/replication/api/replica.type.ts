import { Field, Float, HideField, Int, ObjectType } from '@nestjs/graphql';
import { ByteCount } from '../../../platform/graphql/scalars.js';
import { ServerReference } from '../../../platform/graphql/common.types.js';
import { type ReplicaState, REPLICA_STATES } from '../contracts/replica-view.js';
import { enumOf } from '../../../platform/graphql/enum-of.js';

const ReplicaStateName = enumOf('ReplicaState', REPLICA_STATES, {
  type: 'State of the copy of a package on one server.',
  values: {
    REQUESTED: 'The copy is wanted. No chunk has been verified since the request.',
    FETCHING: 'Some chunks are verified. The transfer continues by itself, also after a restart.',
    PUBLISHED: 'The copy is verified as a whole, and the server holds it.',
    FAILED: 'The transfer failed for the reason in `failure`. `retryReplica` starts it again.',
    WITHDRAWN: 'The server no longer holds the copy: the package was removed, or its stage does not reach that server.',
  },
});

@ObjectType({ description: 'A range of neighbouring chunks.' })
class ChunkRun {
  @Field(() => Int, { description: 'Index of the first chunk, counted from 0.' })
  first!: number;

  @Field(() => Int)
  count!: number;
}

@ObjectType({ description: 'What delays a replica or has made it fail.' })
class ReplicaProblem {
  @Field(() => String, { description: 'A stable code in capital letters.' })
  code!: string;

  @Field(() => String, { description: 'What has happened and what to do about it.' })
  reason!: string;
}

@ObjectType({ description: 'A server that a copy came through.' })
export class LineageStep {
  @HideField()
  packageId?: string;

  @Field(() => ServerReference)
  server!: ServerReference;

  @Field(() => Date, {
    nullable: true,
    description: 'Since when that server holds the whole verified package. Null until it has reported it.',
  })
  verifiedAt!: Date | null;
}

@ObjectType({
  description: 'The copy of a package on one server: on this one, or on a peer that has reported its copy.',
})
export class Replica {
  @HideField()
  packageId!: string;

  @Field(() => ServerReference, { description: 'The server that holds the copy.' })
  server!: ServerReference;

  @Field(() => Boolean, { description: 'Whether it is the copy of this server.' })
  local!: boolean;

  @Field(() => ReplicaStateName)
  state!: ReplicaState;

  @Field(() => ByteCount, { description: 'Size of the whole package.' })
  size!: number;

  @Field(() => Int)
  chunkCount!: number;

  @Field(() => Int, { description: 'Number of chunks whose digests matched and which are written.' })
  verifiedChunks!: number;

  @Field(() => ByteCount)
  verifiedBytes!: number;

  @Field(() => [ChunkRun], { description: 'The verified chunks as ranges in ascending order.', complexity: 10 })
  verifiedRuns!: readonly ChunkRun[];

  @Field(() => Int, { description: 'Number of chunks that arrived damaged since the copy was last requested.' })
  rejectedChunks!: number;

  @Field(() => Float, { description: 'The verified part, from 0 to 1.' })
  progress!: number;

  @Field(() => ServerReference, { nullable: true, description: 'The peer that the copy is or was fetched from.' })
  sourcePeer!: ServerReference | null;

  @Field(() => ReplicaProblem, { nullable: true, description: 'Why the copy failed.' })
  failure!: ReplicaProblem | null;

  @Field(() => ReplicaProblem, {
    nullable: true,
    description: 'What delays the copy now. The server tries again by itself.',
  })
  delay!: ReplicaProblem | null;

  @Field(() => String, { nullable: true, description: 'The last error while the copy was fetched.' })
  lastError!: string | null;

  @Field(() => Date, { nullable: true })
  requestedAt!: Date | null;

  @Field(() => Date, { nullable: true })
  publishedAt!: Date | null;

  @HideField()
  lineage!: readonly LineageStep[];
}
