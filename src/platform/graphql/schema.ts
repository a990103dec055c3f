import { NestFactory } from '@nestjs/core';
import { GraphQLSchemaBuilderModule, GraphQLSchemaFactory } from '@nestjs/graphql';
import { type GraphQLSchema, isObjectType, lexicographicSortSchema, printSchema } from 'graphql';
import { scalars } from './scalars.js';

/** The need that a field states by `stateNeed`; undefined when it states none. */
export const needOf = ({ extensions }: { readonly extensions: object }): unknown =>
  'need' in extensions ? extensions.need : undefined;

/** Appends to the description of each root field what the field needs. Changes the given schema and returns it. */
export function describeNeeds(schema: GraphQLSchema): GraphQLSchema {
  for (const root of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]) {
    if (!isObjectType(root)) continue;
    for (const field of Object.values(root.getFields())) {
      const need = needOf(field);
      const told = need === 'public' ? 'For everybody.' : typeof need === 'string' ? `Needs: \`${need}\`.` : '';
      field.description = [field.description, told].filter(Boolean).join(' ');
    }
  }
  return schema;
}

type Resolvers = readonly (abstract new (...args: never[]) => object)[];

/** Builds the schema of these resolver classes, in alphabetical order. This needs no database and no running server. */
export async function buildSchemaOf(resolvers: Resolvers): Promise<GraphQLSchema> {
  const app = await NestFactory.createApplicationContext(GraphQLSchemaBuilderModule, { logger: false });
  try {
    const schema = await app.get(GraphQLSchemaFactory).create([...resolvers], scalars, { numberScalarMode: 'integer' });
    return lexicographicSortSchema(describeNeeds(schema));
  } finally {
    await app.close();
  }
}

/** The text of `schema.graphql` for these resolver classes. */
export const schemaText = async (resolvers: Resolvers): Promise<string> =>
  `${printSchema(await buildSchemaOf(resolvers))}\n`;
