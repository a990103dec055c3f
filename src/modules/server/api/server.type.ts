import { Field, ID, ObjectType } from '@nestjs/graphql';
import type { Stage } from '../../../kernel/stage.js';
import { StageName } from '../../../platform/graphql/types/stage.enum.js';

@ObjectType({ description: 'This server.' })
export class Server {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String, { description: 'Base URL under which peers and endpoints reach it.' })
  url!: string;

  @Field(() => StageName, { description: 'It takes and serves packages of this stage or a later one.' })
  stage!: Stage;

  @Field(() => Boolean, {
    description: 'Can peers call it? If not, it keeps connections open to them, on which they get its packages.',
  })
  reachable!: boolean;

  @Field(() => String, { description: 'Raw Ed25519 public key, base64url: what peers know it by.' })
  publicKey!: string;

  @Field(() => Date, { description: 'When it was started for the first time.' })
  initialisedAt!: Date;

  @Field(() => Date, { nullable: true, description: 'When its key was changed last; null while it has its first one.' })
  keyRotatedAt!: Date | null;
}
