import { Field, ID, ObjectType } from '@nestjs/graphql';
import type { Permission } from '../../../kernel/access.js';
import type { Stage } from '../../../kernel/stage.js';
import { StageName } from '../../../platform/graphql/common.types.js';
import type { ApiTokenView } from '../accounts/accounts.query.js';
import { PermissionName } from './account.types.js';

@ObjectType({ description: 'A session that was just opened.' })
export class Session {
  @Field(() => String, {
    nullable: true,
    description:
      'Token to send as `Authorization: Bearer <token>`. It is shown only once. Null when it was set as a cookie.',
  })
  token!: string | null;

  @Field(() => Date, {
    description: 'When the session ends at the latest. It ends earlier when it is unused for two hours.',
  })
  expiresAt!: Date;
}

@ObjectType({ description: 'An open session.' })
export class OpenSession {
  @Field(() => ID)
  id!: string;

  @Field(() => Date)
  openedAt!: Date;

  @Field(() => Date, { description: 'Exact to the minute.' })
  lastSeenAt!: Date;

  @Field(() => Date, {
    description: 'When the session ends at the latest. It ends earlier when it is unused for two hours.',
  })
  expiresAt!: Date;

  @Field(() => String, { nullable: true, description: 'IP address from which the session was opened.' })
  address!: string | null;

  @Field(() => String, { nullable: true, description: 'Header `User-Agent` of the call that opened the session.' })
  userAgent!: string | null;

  @Field(() => Boolean, { description: 'Whether it is the session of this call.' })
  current!: boolean;
}

@ObjectType({ description: 'A token for a program. It can never do more than its owner can do at that time.' })
export class ApiToken implements ApiTokenView {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => [PermissionName])
  scopes!: readonly Permission[];

  @Field(() => StageName, {
    nullable: true,
    description: 'The last stage to which the token may upload and promote. Null for the limit of its owner.',
  })
  publishUpTo!: Stage | null;

  @Field(() => Date)
  issuedAt!: Date;

  @Field(() => Date)
  expiresAt!: Date;

  @Field(() => Date, { nullable: true, description: 'Exact to the minute.' })
  lastUsedAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'IP address of the last use.' })
  lastUsedFrom!: string | null;
}

@ObjectType({ description: 'An API token that was just issued.' })
export class NewApiToken {
  @Field(() => String, { description: 'Token to send as `Authorization: Bearer <token>`. It is shown only once.' })
  token!: string;

  @Field(() => ApiToken)
  apiToken!: ApiToken;
}
