import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { isObjectType, type GraphQLSchema } from 'graphql';
import { ExportController } from '../../modules/audit/export/export.controller.js';
import { DOWNLOADS } from '../../modules/downloads/serving/downloads.js';
import { UNREADABLE_FILENAME, UploadController } from '../../modules/packages/api/upload.controller.js';
import { KeyController } from '../../modules/peers/api/key.controller.js';
import { RegistrationController } from '../../modules/peers/api/registration.controller.js';
import { HAND_OVER } from '../../modules/peers/tunnel/inbound/elsewhere/hand-over.js';
import { TUNNELS } from '../../modules/peers/tunnel/inbound/tunnel-gate.js';
import { FeedController } from '../../modules/replication/feed/feed.controller.js';
import { InventoryController } from '../../modules/replication/feed/inventory/inventory.controller.js';
import { PackageContentController } from '../../modules/replication/feed/package-content.controller.js';
import { NeedMark } from '../../platform/auth/needs.decorator.js';
import { GuardedByItself, PublicMark } from '../../platform/auth/public.decorator.js';
import { SUBSCRIPTIONS } from '../../platform/graphql/socket/graphql-socket.js';
import { needOf } from '../../platform/graphql/tell-needs.js';
import { HealthController } from '../../platform/health/health.controller.js';
import type { StatedRoute } from '../../platform/http/stated-route.js';

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
