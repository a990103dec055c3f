import { CustomScalar, Scalar } from '@nestjs/graphql';
import { GraphQLError, Kind, type ValueNode } from 'graphql';
import { parseTypedTime } from '../../kernel/input-text.js';

const BYTE_COUNT_MESSAGE = 'A ByteCount is a whole number from 0 to 2^53 - 1.';

function checkByteCount(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new GraphQLError(BYTE_COUNT_MESSAGE, { extensions: { code: 'BAD_USER_INPUT' } });
}

/** The scalar for numbers of bytes. GraphQL's Int has 32 bits and cannot represent 2 GiB or more. */
@Scalar('ByteCount', () => ByteCount)
export class ByteCount implements CustomScalar<number, number> {
  readonly description = 'A number of bytes: a whole JSON number from 0 to 2^53 - 1.';
  readonly parseValue = checkByteCount;
  readonly serialize = checkByteCount;

  parseLiteral(node: ValueNode): number {
    return checkByteCount(node.kind === Kind.INT ? Number(node.value) : null);
  }
}

function parseDateTime(value: unknown): Date {
  const date = typeof value === 'string' ? parseTypedTime(value) : null;
  if (date !== null) return date;
  throw new GraphQLError('A DateTime is written like 2026-01-31T12:00:00Z (RFC 3339), and is from 1990 to 2199.', {
    extensions: { code: 'BAD_USER_INPUT' },
  });
}

/** The scalar for times in the format of RFC 3339. */
@Scalar('DateTime', () => Date)
class DateTime implements CustomScalar<string, Date> {
  readonly description = 'A time as in RFC 3339, such as 2026-01-31T12:00:00.000Z; answers are in UTC.';
  readonly parseValue = parseDateTime;

  parseLiteral(node: ValueNode): Date {
    return parseDateTime(node.kind === Kind.STRING ? node.value : null);
  }

  serialize(value: unknown): string {
    if (value instanceof Date) return value.toISOString();
    throw new TypeError('Only a Date can be a DateTime');
  }
}

/** The scalar for JSON objects. It appears in answers only: as an argument it is refused with BAD_USER_INPUT. */
@Scalar('JSONObject', () => JsonObject)
export class JsonObject implements CustomScalar<unknown, unknown> {
  readonly description = 'A JSON object. Its members depend on the thing that it describes.';
  readonly serialize = (value: unknown): unknown => value;

  parseValue(): never {
    throw new GraphQLError('A JSONObject cannot be an argument.', { extensions: { code: 'BAD_USER_INPUT' } });
  }

  parseLiteral(): never {
    return this.parseValue();
  }
}

/** The scalar for any JSON value. It appears in answers only: as an argument it is refused with BAD_USER_INPUT. */
@Scalar('JSON', () => JsonValue)
export class JsonValue implements CustomScalar<unknown, unknown> {
  readonly description = 'Any JSON value: text, a number, a list, an object, true, false or null.';
  readonly serialize = (value: unknown): unknown => value;

  parseValue(): never {
    throw new GraphQLError('A JSON value cannot be an argument.', { extensions: { code: 'BAD_USER_INPUT' } });
  }

  parseLiteral(): never {
    return this.parseValue();
  }
}

/** The scalars that the schema has in addition to those of GraphQL. */
export const scalars = [ByteCount, DateTime, JsonObject, JsonValue];
