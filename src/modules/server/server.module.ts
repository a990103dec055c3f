import { Global, Module } from '@nestjs/common';
import { Settings } from '../../platform/config/settings.js';
import { LiveViews } from '../../platform/live-view/live-views.js';
import { ServerSecrets } from '../../platform/secrets/server-secrets.js';
import { EventStore } from '../../ports/event-store.port.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { ServerResolver } from './api/server.resolver.js';
import { UpdateServerHandler } from './commands/update-server.handler.js';
import { serverEvents } from './contracts/server.events.js';
import { loadIdentity } from './identity/load-identity.js';
import { ServerReadModule } from './server-read.module.js';

const identity = {
  provide: ServerIdentity,
  inject: [EventStore, ServerSecrets, Settings, LiveViews],
  async useFactory(store: EventStore, secrets: ServerSecrets, settings: Settings, views: LiveViews) {
    const own = await loadIdentity(store, secrets, settings);
    await views.follow({ name: 'server identity', eventTypes: serverEvents.types, fold: (event) => own.fold(event) });
    return own;
  },
};

/** What decides who this server is, without what shows it. */
export const serverProviders = [identity, UpdateServerHandler];

/** Knows who this server is before anything else starts. */
@Global()
@Module({ imports: [ServerReadModule], providers: [...serverProviders, ServerResolver], exports: [ServerIdentity] })
export class ServerModule {}
