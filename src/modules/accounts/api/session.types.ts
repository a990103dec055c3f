import { Field, ID, ObjectType } from '@nestjs/graphql';
import type { Permission } from '../../../kernel/access.js';
import type { Stage } from '../../../kernel/stage.js';
import { StageName } from '../../../platform/graphql/common.types.js';
import type { ApiTokenView } from '../accounts/accounts.query.js';
import { PermissionName } from './account.types.js';

@ObjectType({ description: 'Proof of a sign-in.' })
export class Session {
  @Field(() => String, {
    nullable: true,
    description: 'Send it as `Authorization: Bearer <token>`. Shown once. Null when it went into a cookie.',
  })
  token!: string | null;

  @Field(() => Date, { description: 'At the latest. It ends earlier when it is not used for two hours.' })
  expiresAt!: Date;
}

@ObjectType({ description: 'A session that is open now.' })
export class OpenSession {
  @Field(() => ID)
  id!: string;

  @Field(() => Date)
  openedAt!: Date;

  @Field(() => Date, { description: 'To the minute.' })
  lastSeenAt!: Date;

  @Field(() => Date, { description: 'At the latest. It ends earlier when it is not used for two hours.' })
  expiresAt!: Date;

  @Field(() => String, { nullable: true, description: 'IP address from which it was opened.' })
  address!: string | null;

  @Field(() => String, { nullable: true, description: '`User-Agent` of what opened it.' })
  userAgent!: string | null;

  @Field(() => Boolean, { description: 'Is it the one that asks?' })
  current!: boolean;
}

@ObjectType({ description: 'A token for a program. It can never do more than its owner can at the time.' })
export class ApiToken implements ApiTokenView {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => [PermissionName])
  scopes!: readonly Permission[];

  @Field(() => StageName, {
    nullable: true,
    description: 'The last stage to which it uploads and promotes; null for that of its owner.',
  })
  publishUpTo!: Stage | null;

  @Field(() => Date)
  issuedAt!: Date;

  @Field(() => Date)
  expiresAt!: Date;

  @Field(() => Date, { nullable: true, description: 'To the minute.' })
  lastUsedAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'IP address of its last use.' })
  lastUsedFrom!: string | null;
}

@ObjectType({ description: 'An API token that was just made.' })
export class NewApiToken {
  @Field(() => String, { description: 'Send it as `Authorization: Bearer <token>`. Shown once.' })
  token!: string;

  @Field(() => ApiToken)
  apiToken!: ApiToken;
}
