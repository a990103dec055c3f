import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccountsModule } from '../modules/accounts/accounts.module.js';
import { AuditModule } from '../modules/audit/audit.module.js';
import { DownloadsModule } from '../modules/downloads/downloads.module.js';
import { PackagesModule } from '../modules/packages/packages.module.js';
import { PeersModule, TunnelsModule } from '../modules/peers/peers.module.js';
import { ProblemsModule } from '../modules/problems/problems.module.js';
import { QueueModule } from '../modules/queue/queue.module.js';
import { ReplicationModule } from '../modules/replication/replication.module.js';
import { ServerModule } from '../modules/server/server.module.js';
import { AccessModule } from '../platform/access/access.module.js';
import { BackgroundTasksModule } from '../platform/runtime/background-tasks.js';
import { ClockModule } from '../platform/runtime/clock.js';
import {
  LiveViewModule,
  PlatformCqrsModule,
  ProjectionsModule,
  ReactionsModule,
} from '../platform/eventsourcing/eventsourcing.module.js';
import { GraphqlModule } from '../platform/graphql/graphql.module.js';
import { HealthModule } from '../platform/runtime/health.module.js';
import { HttpModule } from '../platform/http/http.module.js';
import { JobsModule } from '../platform/jobs/jobs.module.js';
import { PeerCallsModule } from '../platform/peer-calls/peer-calls.module.js';
import { ProblemSourcesModule } from '../platform/problems/problems.module.js';
import { SecretsModule } from '../platform/secrets/secrets.module.js';
import { dataSourceOptions } from './boot/data-source.js';
import { EnginesModule, type StartedEngines } from './engines.module.js';

/** The modules of the platform. */
export const PLATFORM: readonly Type[] = [
  HttpModule,
  SecretsModule,
  LiveViewModule,
  ClockModule,
  PlatformCqrsModule,
  ProjectionsModule,
  ReactionsModule,
  ProblemSourcesModule,
  JobsModule,
  AccessModule,
  PeerCallsModule,
  HealthModule,
  BackgroundTasksModule,
  GraphqlModule,
];

/** Every module of the program. The program finds the parts of a module by their declarations, so no other list names them. */
export const MODULES: readonly Type[] = [
  ServerModule,
  AccountsModule,
  PeersModule,
  TunnelsModule,
  PackagesModule,
  ReplicationModule,
  DownloadsModule,
  QueueModule,
  ProblemsModule,
  AuditModule,
];

/** The root module of the server. */
@Module({})
export class AppModule {
  static forRoot(engines: StartedEngines, modules = MODULES): DynamicModule {
    const readModels = TypeOrmModule.forRoot({
      ...dataSourceOptions(engines.database.settings, 'read'),
      autoLoadEntities: true,
    });
    return {
      module: AppModule,
      imports: [EnginesModule.forRoot(engines), readModels, ...PLATFORM, ...modules],
    };
  }
}
