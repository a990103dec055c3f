import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { type GraphQLSchema, isObjectType } from 'graphql';
import { GuardedByItself, NeedMark, PublicMark } from '../../platform/access/needs.decorator.js';
import { buildSchemaOf, needOf, schemaText } from '../../platform/graphql/schema.js';
import { MODULES, PLATFORM } from '../../server/app.module.js';
import { findControllers, findResolvers } from '../../server/discovery.js';

// The API of the whole program, as the metadata of its modules has it. Needs neither a database nor a running server.

/** The GraphQL resolvers of the whole program. */
export const allResolvers = (): readonly Type[] => findResolvers([...PLATFORM, ...MODULES]);

/** The text of `schema.graphql`. */
export const printSchemaFile = (): Promise<string> => schemaText(allResolvers());

/** The GraphQL schema of the whole program. */
export const buildWholeSchema = (): Promise<GraphQLSchema> => buildSchemaOf(allResolvers());

/** The controllers of the whole program. */
export const allControllers = (): readonly Type[] => findControllers([...PLATFORM, ...MODULES]);

/** A route or field and the permission that it states; null when it states none. */
export interface StatedNeed {
  readonly call: string;
  readonly need: string | null;
}

const toList = (value: unknown): readonly string[] => [value].flat().map(String);

const joinPath = (...parts: readonly string[]): string =>
  `/${parts.flatMap((part) => part.split('/').filter(Boolean)).join('/')}`;

function readNeed(controller: Type, handler: object): string | null {
  const targets = [handler, controller];
  const mark = (key: string): unknown =>
    targets.map((target): unknown => Reflect.getMetadata(key, target)).find((value) => value !== undefined);
  if (mark(PublicMark.KEY)) return 'public';
  if (mark(GuardedByItself.KEY)) return 'peer call';
  const need = mark(NeedMark.KEY);
  return typeof need === 'string' ? need : null;
}

/** The routes of a controller, one for each of their paths. */
export function routesOf(controller: Type): StatedNeed[] {
  const prototype = controller.prototype as object;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const handler: unknown = Reflect.get(prototype, name);
    if (typeof handler !== 'function') return [];
    const method: unknown = Reflect.getMetadata(METHOD_METADATA, handler);
    if (typeof method !== 'number') return [];
    const paths = toList(Reflect.getMetadata(PATH_METADATA, handler));
    const bases = toList(Reflect.getMetadata(PATH_METADATA, controller));
    const need = readNeed(controller, handler);
    return bases.flatMap((base) =>
      paths.map((path) => ({ call: `${RequestMethod[method]} ${joinPath(base, path)}`, need })),
    );
  });
}

/** Every field of Query, Mutation and Subscription. */
export function rootFieldsOf(schema: GraphQLSchema): StatedNeed[] {
  return [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((root) => {
    if (!isObjectType(root)) return [];
    return Object.values(root.getFields()).map((field) => {
      const need = needOf(field);
      return { call: `${root.name.toLowerCase()} ${field.name}`, need: typeof need === 'string' ? need : null };
    });
  });
}
