import { CustomScalar, Scalar } from '@nestjs/graphql';
import { GraphQLError } from 'graphql';

/** Only in answers. */
@Scalar('JSON', () => JsonValue)
export class JsonValue implements CustomScalar<unknown, unknown> {
  readonly description = 'Any JSON value: text, a number, a list, an object, true, false or null.';
  readonly serialize = (value: unknown): unknown => value;

  parseValue(): never {
    throw new GraphQLError('A JSON value is never asked for.', { extensions: { code: 'BAD_USER_INPUT' } });
  }

  parseLiteral(): never {
    return this.parseValue();
  }
}
