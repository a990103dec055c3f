import { NestFactory } from '@nestjs/core';
import { GraphQLSchemaBuilderModule, GraphQLSchemaFactory } from '@nestjs/graphql';
import { lexicographicSortSchema, printSchema, type GraphQLSchema } from 'graphql';
import { describeNeeds } from './tell-needs.js';
import { scalars } from './types/scalars.js';

type Resolvers = readonly (abstract new (...args: never[]) => object)[];

/** The schema of these resolver classes. Needs neither a database nor a running server. */
export async function buildSchemaOf(resolvers: Resolvers): Promise<GraphQLSchema> {
  const app = await NestFactory.createApplicationContext(GraphQLSchemaBuilderModule, { logger: false });
  try {
    const schema = await app.get(GraphQLSchemaFactory).create([...resolvers], scalars, { numberScalarMode: 'integer' });
    return lexicographicSortSchema(describeNeeds(schema));
  } finally {
    await app.close();
  }
}

/** Text of `schema.graphql`. */
export const schemaText = async (resolvers: Resolvers): Promise<string> =>
  `${printSchema(await buildSchemaOf(resolvers))}\n`;
