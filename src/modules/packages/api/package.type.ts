import { Field, HideField, ID, Int, ObjectType } from '@nestjs/graphql';
import { ByteCount } from '../../../platform/graphql/scalars.js';
import { StageName } from '../../../platform/graphql/common.types.js';
import type { Stage } from '../../../kernel/stage.js';
import { type PackageStatus, PACKAGE_STATUSES } from '../contracts/package-view.js';
import { enumOf } from '../../../platform/graphql/enum-of.js';

export const PackageStateName = enumOf('PackageState', PACKAGE_STATUSES, {
  type: 'What this server does with a package.',
  values: {
    AVAILABLE: 'Held here, verified, and served under its filename.',
    SUPERSEDED: 'Held here; its filename serves a package that was published later.',
    WITHHELD: 'Held here and not served: its stage does not reach this server.',
    REPLICATING: 'On its way here from a peer.',
    DAMAGED: "Not served: its file on this server's disk was found damaged. It is mended from a peer by itself.",
    FAILED: 'Could not be fetched; `retryReplica` tries again.',
    ANNOUNCED: 'Known from a peer and not held here.',
    REMOVED: 'Removed on every server. It comes back only by being published again.',
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
