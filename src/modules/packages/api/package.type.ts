import { Field, HideField, ID, Int, ObjectType } from '@nestjs/graphql';
import { ByteCount } from '../../../platform/graphql/scalars.js';
import { StageName } from '../../../platform/graphql/common.types.js';
import type { Stage } from '../../../kernel/stage.js';
import { type PackageStatus, PACKAGE_STATUSES } from '../contracts/package-view.js';
import { enumOf } from '../../../platform/graphql/enum-of.js';

export const PackageStateName = enumOf('PackageState', PACKAGE_STATUSES, {
  type: 'What this server does with a package.',
  values: {
    AVAILABLE: 'This server holds the package, has verified it, and serves it under its filename.',
    SUPERSEDED: 'This server holds the package. Its filename serves another package that was published later.',
    WITHHELD: 'This server holds the package and does not serve it, because its stage is below that of the server.',
    REPLICATING: 'This server is fetching the package from its peers.',
    DAMAGED: 'The file on the disk of this server is damaged and not served. The server repairs it from a peer.',
    FAILED: 'The package could not be fetched. `retryReplica` tries it again.',
    ANNOUNCED: 'This server knows the package from a peer and does not hold it.',
    REMOVED: 'The package was removed on every server. It is available again only after it is published again.',
  },
});

@ObjectType({
  description: 'One file content under one filename. The same package has the same id on every server.',
})
export class Package {
  @Field(() => ID, { description: 'UUIDv5 of the filename and the SHA-256 digest.' })
  id!: string;

  @Field(() => String)
  filename!: string;

  @Field(() => ByteCount)
  size!: number;

  @Field(() => String, { description: 'Digest of the whole file in lower-case hexadecimal.' })
  sha1!: string;

  @Field(() => String, { description: 'Digest of the whole file in lower-case hexadecimal.' })
  sha256!: string;

  @Field(() => StageName)
  stage!: Stage;

  @Field(() => PackageStateName)
  state!: PackageStatus;

  @Field(() => ByteCount, { description: 'Size of every chunk except the last one.' })
  chunkSize!: number;

  @Field(() => Int)
  chunkCount!: number;

  @Field(() => Date, { description: 'When the package was published last, on any server.' })
  publishedAt!: Date;

  /** A field of its own in the API. */
  @HideField()
  firstPublishedAt!: Date;

  @Field(() => String, { description: 'Name of the account that published the package last.' })
  uploadedBy!: string;

  @HideField()
  originId!: string;

  @HideField()
  originName!: string;
}
