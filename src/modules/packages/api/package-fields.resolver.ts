import { QueryBus } from '@nestjs/cqrs';
import { Args, Field, Int, ObjectType, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { z } from 'zod';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { connectionOf, edgeOf, PageArgs, ServerReference } from '../../../platform/graphql/common.types.js';
import { connectionCost } from '../../../platform/graphql/cost-limit.js';
import { checkFirst, decodeCursor, encodeCursor, pageOf } from '../../../platform/graphql/paging.js';
import { ByteCount } from '../../../platform/graphql/scalars.js';
import type { ChunkView, PackageView } from '../contracts/package-view.js';
import { ChunksQuery, type ChunkWindow } from '../read-model/chunks.query.js';
import { ServedPackagesQuery } from '../read-model/package-lookup.query.js';
import { Package } from './package.type.js';

@ObjectType({ description: 'A part of a package, which servers fetch and verify separately.' })
class Chunk {
  @Field(() => Int, { description: 'Position of the chunk in the package, from 0.' })
  index!: number;

  @Field(() => ByteCount, { description: 'Position of its first byte in the file.' })
  offset!: number;

  @Field(() => ByteCount)
  size!: number;

  @Field(() => String, { description: 'In lower-case hexadecimal.' })
  sha1!: string;

  @Field(() => String, { description: 'In lower-case hexadecimal.' })
  sha256!: string;
}

const ChunkEdge = edgeOf(Chunk, 'Chunk');

@ObjectType({ description: 'One page of the chunks of a package, in their order.' })
class ChunkConnection extends connectionOf(ChunkEdge) {}

const ChunkCursor = z.object({ order: z.literal('CHUNK'), index: z.int().min(0).max(1_000_000_000) });

@Resolver(() => Package)
export class PackageFieldsResolver {
  /** The loader only combines queries and remembers nothing, so all requests can share it. */
  private readonly chunkPages = new DataLoader<ChunkWindow, readonly ChunkView[]>(
    (windows) => this.queries.execute(new ChunksQuery(windows)),
    { cache: false, maxBatchSize: 100 },
  );

  private readonly served = new DataLoader<string, PackageView | null>(
    (filenames) => this.queries.execute(new ServedPackagesQuery(filenames)),
    { cache: false, maxBatchSize: 100 },
  );

  constructor(private readonly queries: QueryBus) {}

  /** Another server may have dated it ahead of our clock. */
  @Needs('read')
  @ResolveField(() => Date, {
    description:
      'When the package was published first. Every server sends this time as `Last-Modified` of the download.',
  })
  firstPublishedAt(@Parent() { firstPublishedAt, publishedAt }: Package): Date {
    return firstPublishedAt.getTime() > Date.now() ? publishedAt : firstPublishedAt;
  }

  @Needs('read')
  @ResolveField(() => ServerReference, { description: 'The server on which the package was published last.' })
  origin(@Parent() { originId, originName }: Package): ServerReference {
    return { id: originId, name: originName };
  }

  @Needs('read')
  @ResolveField(() => String, {
    nullable: true,
    description:
      'Path under which this server serves the package, to be appended to the address of the server (`server { url }`), which ' +
      'may have a path of its own. Null when the server does not serve the package.',
  })
  downloadPath(@Parent() { state, filename }: Package): string | null {
    return state === 'AVAILABLE' ? `/Packages/${encodeURIComponent(filename)}` : null;
  }

  @Needs('read')
  @ResolveField(() => String, {
    nullable: true,
    description:
      'Path of exactly this content on this server, to be appended to the address of the server (`server { url }`), which may ' +
      'have a path of its own. It also works while the filename serves another package, so a broken download can be ' +
      'continued from it. Null when the server does not have the content.',
  })
  versionPath(@Parent() { id, state, filename }: Package): string | null {
    const isGiven = state === 'AVAILABLE' || state === 'SUPERSEDED';
    return isGiven ? `/packages/${id}/${encodeURIComponent(filename)}` : null;
  }

  @Needs('read')
  @ResolveField(() => Package, {
    nullable: true,
    description:
      'The package that the filename serves now, when another package with this filename was published later.',
  })
  supersededBy(@Parent() { state, filename }: Package): Promise<Package | null> | null {
    return state === 'SUPERSEDED' ? this.served.load(filename) : null;
  }

  @Needs('read')
  @ResolveField(() => ChunkConnection, {
    description: 'The chunks of the package with their digests.',
    complexity: connectionCost,
  })
  async chunks(
    @Parent() { id, size, chunkSize }: Package,
    @Args() { first, after }: PageArgs,
  ): Promise<ChunkConnection> {
    const from = typeof after === 'string' ? decodeCursor(after, ChunkCursor).index + 1 : 0;
    const chunks = await this.chunkPages.load({ packageId: id, from, count: checkFirst(first) + 1 });
    return pageOf(chunks, { first, after }, (chunk) => {
      const offset = chunk.index * chunkSize;
      const node = { ...chunk, offset, size: Math.min(chunkSize, size - offset) };
      return { cursor: encodeCursor({ order: 'CHUNK', index: chunk.index }), node };
    });
  }
}
