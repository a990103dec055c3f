import { z } from 'zod';
import type { NewJob } from '../../../../ports/job-queue.port.js';

/** Before any fetch: what is complete is served first, and its part of the disk is settled. */
const PRIORITY = 50;

export const PUBLISH_REPLICA = 'publish-replica';

export const PublishReplicaData = z.object({ packageId: z.string() });

/** Checks the whole file of a replica and serves it. */
export const publishJob = (packageId: string): NewJob => ({
  name: PUBLISH_REPLICA,
  key: `publish:${packageId}`,
  data: { packageId },
  priority: PRIORITY,
});
