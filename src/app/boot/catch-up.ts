import type { INestApplication } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { HeldPackagesQuery } from '../../modules/packages/queries/boot/held-packages.query.js';
import { LatestStampQuery } from '../../modules/packages/queries/boot/latest-stamp.query.js';
import { WithdrawnReplicasQuery } from '../../modules/replication/queries/withdrawn-replicas.query.js';
import { UnfinishedReplicasQuery } from '../../modules/replication/queries/unfinished-replicas.query.js';
import { Clock } from '../../platform/clock/clock.js';
import { Settings } from '../../platform/config/settings.js';
import { ProjectionRunner } from '../../platform/projections/running/projection-runner.js';
import { Locks } from '../../ports/locks.port.js';
import { PackageStorage } from '../../ports/package-storage.port.js';

/**
 * Before new work is taken, in this order: read models catch up with the log; the clock goes on after the latest
 * stamp; what a crash left on disk is cleared away.
 */
export async function catchUp(app: INestApplication): Promise<void> {
  await app.get(ProjectionRunner).start();
  await moveClock(app);
  if (await app.get(Locks).isAlone()) await sweepStorage(app);
  else await app.get(PackageStorage).sweepUploads();
}

async function moveClock(app: INestApplication): Promise<void> {
  const latest = await app.get(QueryBus).execute(new LatestStampQuery());
  if (latest !== null) app.get(Clock).hybrid.observe(latest);
}

/** Only when this process is alone: what others are at work on looks like a leftover. */
async function sweepStorage(app: INestApplication): Promise<void> {
  const queries = app.get(QueryBus);
  const graceBegan = new Date(Date.now() - app.get(Settings).withdrawnGraceMs);
  const kept = await queries.execute(new WithdrawnReplicasQuery(graceBegan));
  const held = await queries.execute(new HeldPackagesQuery());
  const packages = new Set([...held, ...kept.map(({ packageId }) => packageId)]);
  const unfinished = await queries.execute(new UnfinishedReplicasQuery());
  await app.get(PackageStorage).sweep({ packages, replicas: new Set(unfinished.map(({ packageId }) => packageId)) });
}
