import { z } from 'zod';
import type { NewJob } from '../../../../ports/job-queue.port.js';

/** Before any fetch: what is complete is served first, and its part of the disk is settled. */
const PUBLISH_PRIORITY = 50;

export const PUBLISH_REPLICA = 'publish-replica';

export const PublishReplicaData = z.object({ packageId: z.string() });

/** Checks the whole file of a replica and serves it. */
export const publishReplicaJob = (packageId: string): NewJob => ({
  name: PUBLISH_REPLICA,
  key: `publish:${packageId}`,
  data: { packageId },
  priority: PUBLISH_PRIORITY,
});
