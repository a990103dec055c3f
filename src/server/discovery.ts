import type { Type } from '@nestjs/common';
import { MODULE_METADATA } from '@nestjs/common/constants.js';
import { RESOLVER_TYPE_METADATA } from '@nestjs/graphql';
import { AsProjection, type Projection } from '../platform/eventsourcing/projection.js';

/** Classes of Nest modules. Modules that are made by a function, such as those of TypeORM, bring nothing of ours. */
type Modules = readonly Type[];

const isClass = (value: unknown): value is Type => typeof value === 'function';

function listedIn(module: Type, key: string): readonly Type[] {
  const listed: unknown = Reflect.getMetadata(key, module);
  return Array.isArray(listed) ? listed.filter(isClass) : [];
}

/** Returns everything that modules list under a key of their metadata, including the modules that they import. */
function collect(modules: Modules, key: string): readonly Type[] {
  return modules.flatMap((module) => [
    ...collect(listedIn(module, MODULE_METADATA.IMPORTS), key),
    ...listedIn(module, key),
  ]);
}

const hasMetadata =
  (key: string) =>
  (target: Type): boolean =>
    Reflect.hasMetadata(key, target);

/** New instances of the projections of these modules, for tools that work without a running server. */
export const findProjections = (modules: Modules): readonly Projection[] =>
  collect(modules, MODULE_METADATA.PROVIDERS)
    .filter(hasMetadata(AsProjection.KEY))
    // @AsProjection marks just the classes that implement Projection; none of them needs anything to be made.
    .map((projection) => new projection() as Projection);

/** The GraphQL resolvers of these modules. */
export const findResolvers = (modules: Modules): readonly Type[] =>
  collect(modules, MODULE_METADATA.PROVIDERS).filter(hasMetadata(RESOLVER_TYPE_METADATA));

/** The HTTP controllers of these modules. */
export const findControllers = (modules: Modules): readonly Type[] => collect(modules, MODULE_METADATA.CONTROLLERS);
