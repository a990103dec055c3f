import { Field, HideField, ID, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import { ByteCount } from '../../../platform/graphql/scalars.js';
import { StageName } from '../../../platform/graphql/common.types.js';
import type { Stage } from '../../../kernel/stage.js';
import type { PackageStatus } from '../contracts/package-view.js';

/** `PACKAGE_STATES` as GraphQL names them. */
export enum PackageStateName {
  AVAILABLE = 'AVAILABLE',
  SUPERSEDED = 'SUPERSEDED',
  WITHHELD = 'WITHHELD',
  REPLICATING = 'REPLICATING',
  DAMAGED = 'DAMAGED',
  FAILED = 'FAILED',
  ANNOUNCED = 'ANNOUNCED',
  REMOVED = 'REMOVED',
}

registerEnumType(PackageStateName, {
  name: 'PackageState',
  description: 'What this server does with a package.',
  valuesMap: {
    AVAILABLE: { description: 'Held here, verified, and served under its filename.' },
    SUPERSEDED: { description: 'Held here; its filename serves a package that was published later.' },
    WITHHELD: { description: 'Held here and not served: its stage does not reach this server.' },
    REPLICATING: { description: 'On its way here from a peer.' },
    DAMAGED: {
      description: "Not served: its file on this server's disk was found damaged. It is mended from a peer by itself.",
    },
    FAILED: { description: 'Could not be fetched; `retryReplica` tries again.' },
    ANNOUNCED: { description: 'Known from a peer and not held here.' },
    REMOVED: { description: 'Removed on every server. It comes back only by being published again.' },
  },
});

@ObjectType({
  description: 'One content under one filename. The same file has the same id on every server.',
})
export class Package {
  @Field(() => ID, { description: 'UUIDv5 of filename and SHA-256.' })
  id!: string;

  @Field(() => String)
  filename!: string;

  @Field(() => ByteCount)
  size!: number;

  @Field(() => String, { description: 'Digest of the whole file, in lower-case hex.' })
  sha1!: string;

  @Field(() => String, { description: 'Digest of the whole file, in lower-case hex.' })
  sha256!: string;

  @Field(() => StageName)
  stage!: Stage;

  @Field(() => PackageStateName)
  state!: PackageStatus;

  @Field(() => ByteCount, { description: 'Size of every chunk but the last.' })
  chunkSize!: number;

  @Field(() => Int)
  chunkCount!: number;

  @Field(() => Date, { description: 'When it was last published, on whichever server.' })
  publishedAt!: Date;

  @Field(() => Date, { description: 'When it was first published: `Last-Modified` of its download on every server.' })
  firstPublishedAt!: Date;

  @Field(() => String, { description: 'Name of the account that published it last.' })
  uploadedBy!: string;

  @HideField()
  originId!: string;

  @HideField()
  originName!: string;
}
