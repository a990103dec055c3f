import { Field, ID, Int, ObjectType } from '@nestjs/graphql';

@ObjectType({
  description:
    "The server's signed word that its audit trail had this hash at this entry. Kept elsewhere, it shows whether the trail " +
    'still is the one that it was: `npm run audit:verify -- --checkpoint FILE`.',
})
export class AuditCheckpoint {
  @Field(() => ID)
  serverId!: string;

  @Field(() => Int, { description: 'Counts the checkpoints, from 1.' })
  sequence!: number;

  @Field(() => Int, { description: 'The last entry that it covers.' })
  number!: number;

  @Field(() => String, { description: 'SHA-256 of that entry, lower-case hex.' })
  hash!: string;

  @Field(() => String, { description: 'ISO 8601, as it was signed.' })
  at!: string;

  @Field(() => String, { description: 'Public key of the server (Ed25519, base64url) by which it is signed.' })
  key!: string;

  @Field(() => String, { description: 'SHA-256 of the checkpoint before; zeros in the first.' })
  previous!: string;

  @Field(() => String, { description: 'Ed25519, base64url.' })
  signature!: string;
}

@ObjectType({ description: 'The hash chain over everything that was recorded.' })
export class AuditChain {
  @Field(() => Int, { description: 'Number of the last entry.' })
  entries!: number;

  @Field(() => String, { description: 'SHA-256 of the last entry, lower-case hex.' })
  hash!: string;

  @Field(() => Int, { description: 'Entries since the last checkpoint.' })
  unsigned!: number;

  @Field(() => Boolean, {
    description:
      'Is everything in the chain that is in the log? False for some moments is usual; if it stays, see the log of the server.',
  })
  isUpToDate!: boolean;

  @Field(() => AuditCheckpoint, { nullable: true })
  lastCheckpoint!: AuditCheckpoint | null;
}
