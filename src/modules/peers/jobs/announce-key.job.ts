import { z } from 'zod';
import type { NewJob } from '../../../ports/job-queue.port.js';

export const ANNOUNCE_KEY = 'announce-key';

export const AnnounceKeyData = z.object({ peerId: z.string() });

/** Tells a peer of our last key, if it does not know it. */
export const announceKeyJob = (peerId: string): NewJob => ({
  name: ANNOUNCE_KEY,
  key: `${ANNOUNCE_KEY}:${peerId}`,
  data: { peerId },
  priority: 20,
});
