import { CustomScalar, Scalar } from '@nestjs/graphql';
import { GraphQLError, Kind, type ValueNode } from 'graphql';

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/i;

function parseDateTime(value: unknown): Date {
  const date = new Date(typeof value === 'string' && RFC_3339.test(value) ? value : NaN);
  if (!Number.isNaN(date.getTime())) return date;
  throw new GraphQLError('A DateTime is written like 2026-01-31T12:00:00Z (RFC 3339).', {
    extensions: { code: 'BAD_USER_INPUT' },
  });
}

@Scalar('DateTime', () => Date)
export class DateTime implements CustomScalar<string, Date> {
  readonly description = 'A time as in RFC 3339, such as 2026-01-31T12:00:00.000Z; answers are in UTC.';
  readonly parseValue = parseDateTime;

  parseLiteral(node: ValueNode): Date {
    return parseDateTime(node.kind === Kind.STRING ? node.value : null);
  }

  serialize(value: unknown): string {
    if (value instanceof Date) return value.toISOString();
    throw new TypeError('Only a Date is told as a DateTime');
  }
}
