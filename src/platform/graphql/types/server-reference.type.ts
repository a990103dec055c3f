import { Field, ID, ObjectType } from '@nestjs/graphql';

@ObjectType({ description: 'A server, by its id and the name under which it is known here.' })
export class ServerReference {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;
}
