import { Field, Int, ObjectType } from '@nestjs/graphql';
import { connectionOf, edgeOf } from '../../../platform/graphql/types/connection.types.js';
import { ByteCount } from '../../../platform/graphql/types/byte-count.scalar.js';

@ObjectType({ description: 'A part of a package that is verified on its own.' })
export class Chunk {
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
export class ChunkConnection extends connectionOf(ChunkEdge) {}
