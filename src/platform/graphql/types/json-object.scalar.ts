import { CustomScalar, Scalar } from '@nestjs/graphql';
import { GraphQLError } from 'graphql';

/** Only in answers. */
@Scalar('JSONObject', () => JsonObject)
export class JsonObject implements CustomScalar<unknown, unknown> {
  readonly description = 'A JSON object; its members depend on what it describes.';
  readonly serialize = (value: unknown): unknown => value;

  parseValue(): never {
    throw new GraphQLError('A JSONObject is never asked for.', { extensions: { code: 'BAD_USER_INPUT' } });
  }

  parseLiteral(): never {
    return this.parseValue();
  }
}
