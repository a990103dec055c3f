import { Logger, type INestApplication } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { HeldPackagesQuery } from '../../modules/packages/queries/boot/held-packages.query.js';
import { LatestStampQuery } from '../../modules/packages/queries/boot/latest-stamp.query.js';
import { UnfinishedReplicasQuery } from '../../modules/replication/queries/unfinished-replicas.query.js';
import { FeedFollowers } from '../../modules/replication/subscriber/feed-followers.js';
import { Clock } from '../../platform/clock/clock.js';
import { JobRunner } from '../../platform/jobs/job-runner.js';
import { QueueWatch } from '../../platform/jobs/queue-watch.js';
import { ProjectionRunner } from '../../platform/projections/running/projection-runner.js';
import { ReactionRunner } from '../../platform/reactions/reaction-runner.js';
import { Database } from '../../ports/database.port.js';
import { EventStore } from '../../ports/event-store.port.js';
import { PackageStorage } from '../../ports/package-storage.port.js';
import { readModelsAreOutdated, rebuildReadModels } from '../rebuild/rebuild-read-models.js';

/**
 * Starts what works by itself, in this order: read models catch up with the log; the clock goes on after the latest
 * stamp; what a crash left on disk is cleared away; only then new work is taken.
 */
export async function startWork(app: INestApplication): Promise<void> {
  await app.get(ProjectionRunner).start();
  renewReadModels(app);
  await moveClock(app);
  await sweepStorage(app);
  app.get(ReactionRunner).start();
  await app.get(JobRunner).start();
  await app.get(QueueWatch).start();
  await app.get(FeedFollowers).start();
}

/** A program with other projections builds their rows beside the old ones, which are shown until that is done. */
function renewReadModels(app: INestApplication): void {
  const logger = new Logger('Projections');
  const renew = async () => {
    if (!(await readModelsAreOutdated(app.get(DataSource)))) return;
    logger.log('The read models are of another version and are built anew');
    await rebuildReadModels(app.get(Database).settings, app.get(EventStore));
    logger.log('The read models were built anew');
  };
  renew().catch((error: unknown) => logger.error(`The read models stay as they were: ${String(error)}`));
}

async function moveClock(app: INestApplication): Promise<void> {
  const latest = await app.get(QueryBus).execute(new LatestStampQuery());
  if (latest !== null) app.get(Clock).hybrid.observe(latest);
}

async function sweepStorage(app: INestApplication): Promise<void> {
  const queries = app.get(QueryBus);
  const packages = await queries.execute(new HeldPackagesQuery());
  const unfinished = await queries.execute(new UnfinishedReplicasQuery());
  await app.get(PackageStorage).sweep({ packages, replicas: new Set(unfinished.map(({ packageId }) => packageId)) });
}
