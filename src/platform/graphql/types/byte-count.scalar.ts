import { CustomScalar, Scalar } from '@nestjs/graphql';
import { GraphQLError, Kind, type ValueNode } from 'graphql';

const BYTE_COUNT_MESSAGE = 'A ByteCount is a whole number from 0 to 2^53 - 1.';

function checkByteCount(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new GraphQLError(BYTE_COUNT_MESSAGE, { extensions: { code: 'BAD_USER_INPUT' } });
}

/** GraphQL's Int ends at 2 GiB. */
@Scalar('ByteCount', () => ByteCount)
export class ByteCount implements CustomScalar<number, number> {
  readonly description = 'A number of bytes: a whole JSON number from 0 to 2^53 - 1.';
  readonly parseValue = checkByteCount;
  readonly serialize = checkByteCount;

  parseLiteral(node: ValueNode): number {
    return checkByteCount(node.kind === Kind.INT ? Number(node.value) : null);
  }
}
