import { Global, Module } from '@nestjs/common';
import { Settings } from '../../platform/config/settings.js';
import { LiveViews } from '../../platform/live-view/live-views.js';
import { EventStore } from '../../ports/event-store.port.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { ServerResolver } from './api/server.resolver.js';
import { RotateKeyHandler } from './commands/rotate-key.handler.js';
import { RetireKeysHandler } from './commands/retire-keys.handler.js';
import { UpdateServerHandler } from './commands/update-server.handler.js';
import { KeyRing } from '../../platform/secrets/server-keys/key-ring.js';
import { loadIdentity } from './identity/load-identity.js';
import { ServerReadModule } from './server-read.module.js';

const identityProvider = {
  provide: ServerIdentity,
  inject: [EventStore, KeyRing, Settings, LiveViews],
  async useFactory(store: EventStore, keys: KeyRing, settings: Settings, views: LiveViews) {
    const own = await loadIdentity(store, keys, settings);
    await views.follow({ name: 'server identity', eventTypes: own.eventTypes, fold: (event) => own.fold(event) });
    return own;
  },
};

/** What decides who this server is, without what shows it. */
export const serverProviders = [identityProvider, UpdateServerHandler, RotateKeyHandler, RetireKeysHandler];

/** Knows who this server is before anything else starts. */
@Global()
@Module({ imports: [ServerReadModule], providers: [...serverProviders, ServerResolver], exports: [ServerIdentity] })
export class ServerModule {}
