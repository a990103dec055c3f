import type { Type } from '@nestjs/common';
import { ArgsType, Field, ID, Int, ObjectType } from '@nestjs/graphql';
import { DEFAULT_FIRST } from './paging.js';
import { STAGES } from '../../kernel/stage.js';
import { enumOf } from './enum-of.js';

@ObjectType({ description: 'Where a page of a connection ends.' })
class PageInfo {
  @Field(() => Boolean, { description: 'Are there more rows after this page?' })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'Is this not the first page?' })
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Place of the first row of this page.' })
  startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Pass it as `after` to get the next page.' })
  endCursor!: string | null;
}

/** Edge of a connection. @param name of the node type */
export function edgeOf<T>(node: Type<T>, name: string): Type<{ cursor: string; node: T }> {
  @ObjectType(`${name}Edge`, { description: `A row of a list of type ${name}, and its place.` })
  class Edge {
    @Field(() => String, { description: 'Pass it as `after` to go on behind this row.' })
    cursor!: string;

    @Field(() => node)
    node!: T;
  }
  return Edge;
}

/** A page of a list (GraphQL Cursor Connections Specification). */
export function connectionOf<E>(edge: Type<E>): Type<{ edges: readonly E[]; pageInfo: PageInfo }> {
  @ObjectType({ isAbstract: true })
  abstract class Connection {
    @Field(() => [edge])
    edges!: readonly E[];

    @Field(() => PageInfo)
    pageInfo!: PageInfo;
  }
  // An abstract class with no abstract members: only Nest's decorators ask for it.
  return Connection as unknown as Type<{ edges: readonly E[]; pageInfo: PageInfo }>;
}

@ArgsType()
export class PageArgs {
  @Field(() => Int, { defaultValue: DEFAULT_FIRST, description: 'Rows on the page, from 1 to 100.' })
  first!: number;

  @Field(() => String, { nullable: true, description: '`endCursor` of the page before; none for the first page.' })
  after?: string | null;
}

@ObjectType({ description: 'A server, by its id and the name under which it is known here.' })
export class ServerReference {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;
}

export const StageName = enumOf('Stage', STAGES, {
  type: 'How far a package has come. A server of a stage takes packages of that stage or a later one.',
});
