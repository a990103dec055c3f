import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccountsModule } from '../modules/accounts/accounts.module.js';
import { AuditModule } from '../modules/audit/audit.module.js';
import { DownloadsModule } from '../modules/downloads/downloads.module.js';
import { PackagesModule } from '../modules/packages/packages.module.js';
import { PeersModule } from '../modules/peers/peers.module.js';
import { QueueModule } from '../modules/queue/queue.module.js';
import { TunnelsModule } from '../modules/peers/tunnels.module.js';
import { ReplicationModule } from '../modules/replication/replication.module.js';
import { ServerModule } from '../modules/server/server.module.js';
import { AccessModule } from '../platform/auth/auth.module.js';
import { ClockModule } from '../platform/clock/clock.module.js';
import { PlatformCqrsModule } from '../platform/cqrs/cqrs.module.js';
import { GraphqlModule } from '../platform/graphql/graphql.module.js';
import { HealthModule } from '../platform/health/health.module.js';
import { HttpModule } from '../platform/http/http.module.js';
import { JobsModule } from '../platform/jobs/jobs.module.js';
import { LiveViewModule } from '../platform/live-view/live-view.module.js';
import { PeerCallsModule } from '../platform/peer-auth/peer-auth.module.js';
import { ProjectionsModule } from '../platform/projections/projections.module.js';
import { ReactionsModule } from '../platform/reactions/reactions.module.js';
import { SecretsModule } from '../platform/secrets/secrets.module.js';
import { dataSourceOptions } from './database/data-source-options.js';
import { EnginesModule, type StartedEngines } from './engines.module.js';

const PLATFORM = [
  HttpModule,
  SecretsModule,
  LiveViewModule,
  ClockModule,
  PlatformCqrsModule,
  ProjectionsModule,
  ReactionsModule,
  JobsModule,
  AccessModule,
  PeerCallsModule,
  HealthModule,
  GraphqlModule,
];

const MODULES = [
  ServerModule,
  AccountsModule,
  PeersModule,
  TunnelsModule,
  PackagesModule,
  ReplicationModule,
  DownloadsModule,
  QueueModule,
  AuditModule,
];

/** The whole server. */
@Module({})
export class AppModule {
  static forRoot(engines: StartedEngines): DynamicModule {
    const readModels = TypeOrmModule.forRoot({
      ...dataSourceOptions(engines.database.settings, 'read'),
      autoLoadEntities: true,
    });
    return {
      module: AppModule,
      imports: [EnginesModule.forRoot(engines), readModels, ...PLATFORM, ...MODULES],
    };
  }
}
