import { type INestApplication, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { QueryBus } from '@nestjs/cqrs';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { HeldPackagesQuery } from '../../modules/packages/read-model/boot.query.js';
import { AwaitedIdsQuery } from '../../modules/replication/integrity/scrub.query.js';
import {
  UnfinishedReplicasQuery,
  WithdrawnReplicasQuery,
} from '../../modules/replication/read-model/own-replicas.query.js';
import { ProjectionRunner } from '../../platform/eventsourcing/projection-runner.js';
import { UnprocessableEvents } from '../../platform/failures/unprocessable-events.js';
import { sendError } from '../../platform/http/errors/send-error.js';
import { OdsHttpAdapter, type RawHandler } from '../../platform/http/ods-http-adapter.js';
import type { ServedKeyPair } from '../../platform/http/served-key-pair.js';
import { findMaxConnections, noteDatabaseFolder } from '../../platform/runtime/host-resources.js';
import type { PinoLogger } from '../../platform/runtime/pino-logger.js';
import { Settings } from '../../platform/runtime/settings.js';
import type { Database } from '../../ports/database.port.js';
import { JobQueue } from '../../ports/job-queue.port.js';
import { Locks } from '../../ports/locks.port.js';
import { PackageStorage, type SweepReport } from '../../ports/package-storage.port.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { AppModule } from '../app.module.js';
import { migrate } from './data-source.js';
import { claimDataFolder, refuseOtherDatabase, rememberDatabase } from './data-folder.js';
import { FolderUse } from './folder-users.js';
import { bindLog, checkBinding } from './ownership.js';
import type { Shutdown } from './shutdown.js';
import { startEventStore } from './start-engines.js';

/**
 * Before new work is taken, in this order: read models catch up with the log; the folder of packages is the right one;
 * the files that a crash has left are removed or moved aside. Read models that lack events do not know every package, so
 * then no file of a package is moved.
 */
async function catchUp(app: INestApplication): Promise<void> {
  const failing = await app.get(ProjectionRunner).start();
  await app
    .get(PackageStorage)
    .claimPlace(app.get(ServerIdentity).serverId, await app.get(QueryBus).execute(new HeldPackagesQuery()));
  const isComplete = failing.length === 0 && (await app.get(UnprocessableEvents).countOfProjections()) === 0;
  if (isComplete && (await app.get(Locks).isAlone())) await sweepStorage(app);
  else await app.get(PackageStorage).sweepUploads();
}

/**
 * Runs only when this process is alone, because the work of other processes looks like leftovers. It deletes no file of a
 * package: a database that was restored from an older backup does not know every file.
 */
async function sweepStorage(app: INestApplication): Promise<void> {
  const queries = app.get(QueryBus);
  const graceBegan = new Date(Date.now() - app.get(Settings).withdrawnGraceMs);
  const kept = await queries.execute(new WithdrawnReplicasQuery(graceBegan));
  const held = await queries.execute(new HeldPackagesQuery());
  const awaited = await queries.execute(new AwaitedIdsQuery());
  const packages = new Set([...held, ...awaited, ...kept.map(({ packageId }) => packageId)]);
  const unfinished = await queries.execute(new UnfinishedReplicasQuery());
  const replicas = new Set(unfinished.map(({ packageId }) => packageId));
  logSweep(await app.get(PackageStorage).sweepUnwanted({ packages, replicas }));
}

const MAX_NAMED_FILES = 5;

function logSweep({ uploads, unclaimed, refused }: SweepReport): void {
  const logger = new Logger('Storage');
  if (refused.length > 0) {
    const names = refused.slice(0, MAX_NAMED_FILES).join(', ');
    logger.warn(
      `The system does not let this server look at or move some files, so they stay where they are. Files: ` +
        `${refused.length}, such as ${names}. Correct their owner and rights.`,
    );
  }
  if (uploads.count > 0)
    logger.log(`Removed what was left of uploads that had not ended. Files: ${uploads.count}, bytes: ${uploads.size}`);
  if (unclaimed.count === 0) return;
  logger.warn(
    `Moved files aside that no package and no replica of this database claims. Files: ${unclaimed.count}, bytes: ` +
      `${unclaimed.size}. They are in the folders "unclaimed" of packages/ and staging/, and unclaimedFiles lists them. ` +
      'A file comes back by itself when its package is known again.',
  );
}

const HEALTH_PATH = /^\/(health\/|metrics(\?|$))/;

/** A worker answers health checks only. All other requests belong to the processes that answer HTTP. */
const answerHealthOnly: RawHandler = (request, response) => {
  if (HEALTH_PATH.test(request.url ?? '')) return false;
  const message = 'This process is a worker (ODST_ROLE=worker): it answers /health/live and /health/ready only.';
  sendError(request, response, { status: 404, code: 'NOT_FOUND', message });
  return true;
};

/** The parts that a process needs before it can assemble the server. */
export interface BootContext {
  readonly settings: Settings;
  readonly tls: ServedKeyPair | null;
  readonly database: Database;
  readonly locks: Locks;
  readonly logger: PinoLogger;
  readonly shutdown: Shutdown;
}

/**
 * Assembles the server, in one process of the server at a time. The tables are created, the first start decides the identity
 * of the server, and the leftovers of a crash are removed only while no other process can be working. @throws StartupError
 */
export async function assembleServer({
  settings,
  tls,
  database,
  locks,
  logger,
  shutdown,
}: BootContext): Promise<NestExpressApplication> {
  const known = await refuseOtherDatabase(settings, database.settings);
  const use = await FolderUse.begin(settings.dataDir, known);
  shutdown.addStep('the data folder', () => use.end());
  await migrate(database.settings);
  const store = await startEventStore(settings, database.settings, logger);
  shutdown.addStep('the event log', () => store.close());
  const isMoved = await checkBinding(database.settings, store);
  if (isMoved)
    logger.log('The event log is a different one than before. The server derives everything from it again', 'Server');
  if (settings.databaseUrl === null) noteDatabaseFolder(settings.dataDir);
  const maxConnections = await findMaxConnections();
  const http = new OdsHttpAdapter({ ...settings, tls, shutdownGraceMs: settings.stopGraceMs, maxConnections });
  shutdown.signal.addEventListener('abort', () => http.stopAccepting());
  if (settings.role === 'worker') http.addRawHandler(answerHealthOnly);
  const engines = { settings, database, store, locks };
  const options = { logger, abortOnError: false, forceCloseConnections: false };
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(engines), http, options);
  shutdown.addStep('requests in progress and background tasks', () => app.close());
  shutdown.addStep('jobs in progress', () => app.get(JobQueue).stop());
  const { serverId } = app.get(ServerIdentity);
  // In this order: a folder that has an owner needs a database that has one.
  await bindLog(database.settings, store, serverId);
  await claimDataFolder(settings.dataDir, serverId);
  await rememberDatabase(settings.dataDir, known);
  // This also creates the tables of the queue.
  await app.get(JobQueue).countJobs();
  await app.init();
  await catchUp(app);
  return app;
}
