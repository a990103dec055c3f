import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { LiveViews } from '../../platform/eventsourcing/live-views.js';
import { Settings } from '../../platform/runtime/settings.js';
import { KeyRing } from '../../platform/secrets/key-ring.js';
import { EventStore } from '../../ports/event-store.port.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { loadIdentity } from './load-identity.js';
import { RetireKeysHandler, RotateKeyHandler } from './server-keys.command.js';
import { ServerSettingsEntity } from './server-settings.entity.js';
import { ServerSettingsProjection } from './server-settings.projection.js';
import { ServerHandler } from './server.query.js';
import { ServerResolver } from './server.resolver.js';
import { UpdateServerHandler } from './update-server.command.js';
import './server.declarations.js';

const serverEntities = [ServerSettingsEntity];

/** Queries about this server. */
@Module({ imports: [TypeOrmModule.forFeature(serverEntities)], providers: [ServerSettingsProjection, ServerHandler] })
class ServerReadModule {}

const identityProvider = {
  provide: ServerIdentity,
  inject: [EventStore, KeyRing, Settings, LiveViews],
  async useFactory(store: EventStore, keys: KeyRing, settings: Settings, views: LiveViews) {
    const own = await loadIdentity(store, keys, settings);
    await views.follow({ name: 'server identity', eventTypes: own.eventTypes, fold: (event) => own.fold(event) });
    return own;
  },
};

/** The identity of this server and the commands that change it, without queries and GraphQL. */
export const serverProviders = [identityProvider, UpdateServerHandler, RotateKeyHandler, RetireKeysHandler];

/** Loads the identity of this server before any other module starts. */
@Global()
@Module({ imports: [ServerReadModule], providers: [...serverProviders, ServerResolver], exports: [ServerIdentity] })
export class ServerModule {}
