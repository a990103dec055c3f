import type { Type } from '@nestjs/common';
import { buildSchemaOf, schemaText } from '../../platform/graphql/schema.js';
import { MODULES, PLATFORM } from '../../server/app.module.js';
import { findResolvers } from '../../server/discovery.js';

/** The GraphQL resolvers of the whole program. */
export const allResolvers = (): readonly Type[] => findResolvers([...PLATFORM, ...MODULES]);

/** What `schema.graphql` has to hold. Needs no database. */
export const printSchemaFile = (): Promise<string> => schemaText(allResolvers());

export const buildWholeSchema = () => buildSchemaOf(allResolvers());
