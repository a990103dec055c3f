import { Logger, type INestApplication } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { DirectoryRefresher } from '../../modules/accounts/directory/directory-refresher.js';
import { AuditChain } from '../../modules/audit/chain/audit-chain.js';
import { AnnounceKeys } from '../../modules/peers/keys/announce-keys.reaction.js';
import { MissingFiles } from '../../modules/replication/integrity/missing-files.js';
import { Scrubber } from '../../modules/replication/integrity/scrubber.js';
import { TunnelOpener } from '../../modules/peers/tunnels/tunnel-opener.js';
import { TransferReport } from '../../modules/replication/fetch/transfer-report.js';
import { FeedFollowers } from '../../modules/replication/follow/feed-followers.js';
import { Settings } from '../../platform/runtime/settings.js';
import { JobRunner } from '../../platform/jobs/job-runner.js';
import { QueueWatch } from '../../platform/jobs/queue-watch.js';
import { ReactionRunner } from '../../platform/eventsourcing/reaction.js';
import { Database } from '../../ports/database.port.js';
import { EventStore } from '../../ports/event-store.port.js';
import { Locks } from '../../ports/locks.port.js';
import { readModelsAreOutdated, rebuildReadModels } from './read-models.js';

/** Starts the work that does not depend on a request. */
export async function startWork(app: INestApplication): Promise<void> {
  renewReadModels(app);
  app.get(AuditChain).start();
  const { role } = app.get(Settings);
  if (role !== 'worker') await app.get(TunnelOpener).start();
  app.get(DirectoryRefresher).start();
  if (role === 'api') return;
  app.get(ReactionRunner).start();
  await app.get(JobRunner).start();
  await app.get(QueueWatch).start();
  await app.get(AnnounceKeys).announceToAll();
  await app.get(MissingFiles).enqueueMissing();
  await app.get(Scrubber).start();
  await app.get(TransferReport).start();
  await app.get(FeedFollowers).start();
}

/** A program with other projections builds their rows beside the old ones, which are shown until that is done. */
function renewReadModels(app: INestApplication): void {
  const logger = new Logger('Projections');
  const renew = async () => {
    if (!(await readModelsAreOutdated(app.get(DataSource)))) return;
    logger.log('The read models are of another version and are built anew');
    await rebuildReadModels(app.get(Database).settings, app.get(EventStore), app.get(Locks), { onlyOutdated: true });
    logger.log('The read models were built anew');
  };
  renew().catch((error: unknown) => logger.error(`The read models stay as they were: ${String(error)}`));
}
