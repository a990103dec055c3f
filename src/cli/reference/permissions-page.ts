import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { type GraphQLSchema, isObjectType } from 'graphql';
import { PERMISSIONS, ROLE_PERMISSIONS, ROLES } from '../../kernel/access.js';
import { TOKEN_SCOPES } from '../../modules/accounts/tokens/api-token.decider.js';
import { ExportController } from '../../modules/audit/export/export.controller.js';
import { DOWNLOADS } from '../../modules/downloads/download-routes.js';
import { UNREADABLE_FILENAME, UploadController } from '../../modules/packages/upload/upload.controller.js';
import { KeyController } from '../../modules/peers/keys/key.controller.js';
import { RegistrationController } from '../../modules/peers/registration/registration.controller.js';
import { TUNNELS } from '../../modules/peers/tunnels/tunnel-gate.js';
import { HAND_OVER } from '../../modules/peers/tunnels/tunnel-hand-over.js';
import { FeedController } from '../../modules/replication/serve/feed.controller.js';
import { InventoryController } from '../../modules/replication/serve/inventory.controller.js';
import { PackageContentController } from '../../modules/replication/serve/package-content.controller.js';
import { GuardedByItself, NeedMark, PublicMark } from '../../platform/access/needs.decorator.js';
import { SUBSCRIPTIONS } from '../../platform/graphql/graphql-socket.js';
import { needOf } from '../../platform/graphql/schema.js';
import type { StatedRoute } from '../../platform/http/raw-routes.js';
import { HealthController } from '../../platform/runtime/health.module.js';
import { asCode, joinParagraphs, ORIGIN, renderTable } from './reference-pages.js';
import { buildWholeSchema } from './schema-file.js';

/** All controllers. A test compares it with the source tree. */
export const allControllers: readonly Type[] = [
  UploadController,
  KeyController,
  RegistrationController,
  FeedController,
  InventoryController,
  PackageContentController,
  ExportController,
  HealthController,
];

/** What is served past Nest. A test compares it with the source tree. */
export const allRawRoutes: readonly StatedRoute[] = [DOWNLOADS, UNREADABLE_FILENAME, SUBSCRIPTIONS, TUNNELS, HAND_OVER];

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

const MEANINGS = {
  own: 'oneself: sessions, tokens, password',
  read: 'server, packages, peers, queue',
  upload: 'publish packages',
  promote: 'change stages',
  remove: 'remove packages',
  peers: 'invite, accept, change, suspend and unregister peers',
  retry: 'failed replicas, verification',
  server: "this server's settings and key",
  accounts: "other people's accounts, sessions and tokens",
  audit: 'the audit trail',
} as const;

const rowOf = ({ call, need }: StatedNeed): readonly string[] => [
  asCode(call),
  need === null ? 'nothing: nobody may' : asCode(need),
];
const byCall = (a: StatedNeed, b: StatedNeed): number => a.call.localeCompare(b.call, 'en');

/** What `docs/reference/permissions.md` has to hold. */
export async function renderPermissionsPage(): Promise<string> {
  const roles = PERMISSIONS.map((permission) => [
    asCode(permission),
    MEANINGS[permission],
    ...ROLES.map((role) => (ROLE_PERMISSIONS[role].includes(permission) ? 'yes' : '')),
    TOKEN_SCOPES.some((scope) => scope === permission) ? 'yes' : '',
  ]);
  const routes = [...allControllers.flatMap(routesOf), ...allRawRoutes].toSorted(byCall);
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
