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

@ObjectType({ description: 'A part of a package that is verified on its own.' })
class Chunk {
  @Field(() => Int, { description: 'From 0.' })
  index!: number;

  @Field(() => ByteCount, { description: 'Where it begins in the file.' })
  offset!: number;

  @Field(() => ByteCount)
  size!: number;

  @Field(() => String, { description: 'In lower-case hex.' })
  sha1!: string;

  @Field(() => String, { description: 'In lower-case hex.' })
  sha256!: string;
}

const ChunkEdge = edgeOf(Chunk, 'Chunk');

@ObjectType({ description: 'A page of the chunks of a package, in their order.' })
class ChunkConnection extends connectionOf(ChunkEdge) {}

const ChunkCursor = z.object({ order: z.literal('CHUNK'), index: z.int().min(0).max(1_000_000_000) });

@Resolver(() => Package)
export class PackageFieldsResolver {
  /** Batches only; nothing is remembered, so one for all requests will do. */
  private readonly chunkPages = new DataLoader<ChunkWindow, readonly ChunkView[]>(
    (windows) => this.queries.execute(new ChunksQuery(windows)),
    { cache: false, maxBatchSize: 100 },
  );

  private readonly served = new DataLoader<string, PackageView | null>(
    (filenames) => this.queries.execute(new ServedPackagesQuery(filenames)),
    { cache: false, maxBatchSize: 100 },
  );

  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @ResolveField(() => ServerReference, { description: 'The server on which it was published last.' })
  origin(@Parent() { originId, originName }: Package): ServerReference {
    return { id: originId, name: originName };
  }

  @Needs('read')
  @ResolveField(() => String, { nullable: true, description: 'Where this server serves it; null when it does not.' })
  downloadPath(@Parent() { state, filename }: Package): string | null {
    return state === 'AVAILABLE' ? `/Packages/${encodeURIComponent(filename)}` : null;
  }

  @Needs('read')
  @ResolveField(() => String, {
    nullable: true,
    description:
      'Where this server gives out this very content, also while its filename serves another one; null when it does not.',
  })
  versionPath(@Parent() { id, state, filename }: Package): string | null {
    const isGiven = state === 'AVAILABLE' || state === 'SUPERSEDED';
    return isGiven ? `/packages/${id}/${encodeURIComponent(filename)}` : null;
  }

  @Needs('read')
  @ResolveField(() => Package, {
    nullable: true,
    description: 'The package that its filename serves now, when that is another one that was published later.',
  })
  supersededBy(@Parent() { state, filename }: Package): Promise<Package | null> | null {
    return state === 'SUPERSEDED' ? this.served.load(filename) : null;
  }

  @Needs('read')
  @ResolveField(() => ChunkConnection, { description: 'Its chunks with their digests.', complexity: connectionCost })
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
