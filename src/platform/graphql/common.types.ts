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

/** Creates the edge type of a connection. @param name is the name of the node type */
export function edgeOf<T>(node: Type<T>, name: string): Type<{ cursor: string; node: T }> {
  @ObjectType(`${name}Edge`, { description: `A row of a list of type ${name}, and its place.` })
  class Edge {
    @Field(() => String, { description: 'Pass it as `after` to get the rows after this one.' })
    cursor!: string;

    @Field(() => node)
    node!: T;
  }
  return Edge;
}

/**
 * Creates the base class of a connection type, which is one page of a list (GraphQL Cursor Connections Specification).
 */
export function connectionOf<E>(edge: Type<E>): Type<{ edges: readonly E[]; pageInfo: PageInfo }> {
  @ObjectType({ isAbstract: true })
  abstract class Connection {
    @Field(() => [edge])
    edges!: readonly E[];

    @Field(() => PageInfo)
    pageInfo!: PageInfo;
  }
  // The class has no abstract members. It is abstract only because Nest's decorators require it.
  return Connection as unknown as Type<{ edges: readonly E[]; pageInfo: PageInfo }>;
}

/** Arguments of a field that returns a page of a list. `checkFirst` checks `first`. */
@ArgsType()
export class PageArgs {
  @Field(() => Int, { defaultValue: DEFAULT_FIRST, description: 'Rows on the page, from 1 to 100.' })
  first!: number;

  @Field(() => String, { nullable: true, description: '`endCursor` of the page before; none for the first page.' })
  after?: string | null;
}

/** A server to which another object refers, such as the origin of a package. */
@ObjectType({ description: 'A server, by its id and the name under which it is known here.' })
export class ServerReference {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;
}

/** The GraphQL enum `Stage`. */
export const StageName = enumOf('Stage', STAGES, {
  type: 'How far a package has come. A server of a stage takes packages of that stage or a later one.',
});
