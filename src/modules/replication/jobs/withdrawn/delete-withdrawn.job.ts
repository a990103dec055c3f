import { z } from 'zod';
import type { NewJob } from '../../../../ports/job-queue.port.js';

export const DELETE_WITHDRAWN = 'delete-withdrawn';

export const DeleteWithdrawnData = z.object({ packageId: z.string() });

/** Deletes the file of a withdrawn replica, not before `runAt`; its grace time is looked at then. */
export const deleteWithdrawnJob = (packageId: string, runAt?: Date): NewJob => ({
  name: DELETE_WITHDRAWN,
  key: `withdrawn:${packageId}`,
  data: { packageId },
  ...(runAt && { runAt }),
});
