import { Field, ID, ObjectType } from '@nestjs/graphql';
import type { Json } from '../../../kernel/json.js';
import { JsonValue } from '../../../platform/graphql/types/json-value.scalar.js';

@ObjectType({ description: 'One thing about a target that was changed.' })
export class AuditChange {
  @Field(() => String, { description: 'What of it, such as `stage`, `roles` or `url`.' })
  field!: string;

  @Field(() => JsonValue, { nullable: true, description: 'Null when there was nothing.' })
  before!: Json;

  @Field(() => JsonValue, { nullable: true, description: 'Null when there is nothing any more.' })
  after!: Json;
}

@ObjectType({ description: 'On which other server something began, and by whom.' })
export class AuditOrigin {
  @Field(() => ID)
  serverId!: string;

  @Field(() => String, { nullable: true, description: 'Null when this server was not told.' })
  serverName!: string | null;

  @Field(() => String, { nullable: true, description: 'Name of who did it there; null when this server was not told.' })
  actor!: string | null;
}
