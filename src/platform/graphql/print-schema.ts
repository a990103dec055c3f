import { NestFactory } from '@nestjs/core';
import { GraphQLSchemaBuilderModule, GraphQLSchemaFactory } from '@nestjs/graphql';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { tellNeeds } from './tell-needs.js';
import { scalars } from './types/scalars.js';

/** Text of `schema.graphql`, sorted, for these resolver classes. Needs neither a database nor a running server. */
export async function schemaText(resolvers: readonly (abstract new (...args: never[]) => object)[]): Promise<string> {
  const app = await NestFactory.createApplicationContext(GraphQLSchemaBuilderModule, { logger: false });
  try {
    const factory = app.get(GraphQLSchemaFactory);
    const schema = await factory.create([...resolvers], scalars, { numberScalarMode: 'integer' });
    return `${printSchema(lexicographicSortSchema(tellNeeds(schema)))}\n`;
  } finally {
    await app.close();
  }
}
