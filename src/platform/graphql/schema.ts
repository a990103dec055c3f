import { NestFactory } from '@nestjs/core';
import { GraphQLSchemaBuilderModule, GraphQLSchemaFactory } from '@nestjs/graphql';
import { type GraphQLSchema, isObjectType, lexicographicSortSchema, printSchema } from 'graphql';
import { scalars } from './scalars.js';

/** What a field states, see `stated`; undefined for one that states nothing. */
export const needOf = ({ extensions }: { readonly extensions: object }): unknown =>
  'need' in extensions ? extensions.need : undefined;

/** Adds to the description of each root field what it needs, where it is told what it refuses, too. */
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
