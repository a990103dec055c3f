import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { type GraphQLSchema, isObjectType } from 'graphql';
import { allPermissions, permissionsOf, ROLES } from '../../kernel/access.js';
import { GuardedByItself, NeedMark, PublicMark } from '../../platform/access/needs.decorator.js';
import { needOf } from '../../platform/graphql/schema.js';
import { statedRoutes } from '../../platform/http/raw-routes.js';
import { MODULES, PLATFORM } from '../../server/app.module.js';
import { findControllers } from '../../server/discovery.js';
import { asCode, joinParagraphs, ORIGIN, renderTable } from './reference-pages.js';
import { buildWholeSchema } from './schema-file.js';

/** The controllers of the whole program. */
export const allControllers = (): readonly Type[] => findControllers([...PLATFORM, ...MODULES]);

/** A route or field and what it states; null when it states nothing. */
interface StatedNeed {
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

const rowOf = ({ call, need }: StatedNeed): readonly string[] => [
  asCode(call),
  need === null ? 'nothing: nobody may' : asCode(need),
];
const byCall = (a: StatedNeed, b: StatedNeed): number => a.call.localeCompare(b.call, 'en');

/** What `docs/reference/permissions.md` has to hold. */
export async function renderPermissionsPage(): Promise<string> {
  const roles = [...allPermissions()].map(([permission, { meaning, isTokenScope }]) => [
    asCode(permission),
    meaning,
    ...ROLES.map((role) => (permissionsOf([role]).includes(permission) ? 'yes' : '')),
    isTokenScope ? 'yes' : '',
  ]);
  const routes = [...allControllers().flatMap(routesOf), ...statedRoutes()].toSorted(byCall);
  return joinParagraphs(
    '# Permissions',
    ORIGIN,
    'Every field of GraphQL and every route states what it needs. Who has not that permission is refused with `FORBIDDEN`,\n' +
      'and what states nothing is refused to everybody. See [accounts](../how-to/accounts.md).',
    '## Roles',
    renderTable(['permission', 'for', ...ROLES, 'scope of tokens'], roles),
    'A publisher uploads and promotes up to the stage of the account (`publishUpTo`), and removes and uploads again only what\n' +
      'was published on this server by the same account, or a token of it. An admin has no limits. A token has the\n' +
      'permissions that are both in its scopes and in the roles of its owner.',
    '## GraphQL',
    renderTable(
      ['field', 'needs'],
      rootFieldsOf(await buildWholeSchema())
        .toSorted(byCall)
        .map(rowOf),
    ),
    '## HTTP',
    '`public`: everybody. `peer call`: other servers, by signature. `own process`: processes of the same server, by its own\n' +
      'signature. `stated inside`: who is signed in; each call inside states its own need.',
    renderTable(['route', 'needs'], routes.map(rowOf)),
  );
}
