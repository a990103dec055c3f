export const VERIFY_PACKAGE = 'verify-package';

/**
 * A job that reads the file of a package. When the file is damaged or missing, it is taken out of service and repaired.
 * The job has no effect for a package that is not held here.
 */
export const verifyPackageJob = (packageId: string) => ({
  name: VERIFY_PACKAGE,
  key: `verify:${packageId}`,
  data: { packageId },
  priority: 40,
});

export const WAKE_REPLICAS = 'wake-replicas';

const SECOND_WAKE_DELAY_MS = 30_000;

/** A job that enqueues the jobs of all unfinished replicas again and makes them due now. They may be lost or be waiting without need. */
export const wakeReplicasJob = () => ({ name: WAKE_REPLICAS, key: WAKE_REPLICAS, data: {}, priority: 10 });

/** The same when a time window opens, and once more half a minute later for the reason of `wakeReplicasLaterJob`. */
export const wakeReplicasJobsAt = (opensAt: Date) =>
  [opensAt, new Date(opensAt.getTime() + SECOND_WAKE_DELAY_MS)].map((runAt) => ({
    ...wakeReplicasJob(),
    key: `${WAKE_REPLICAS}:${runAt.toISOString()}`,
    runAt,
  }));

/** The same half a minute later, for replicas that the read model does not show yet. */
export const wakeReplicasLaterJob = (now: Date) => ({
  ...wakeReplicasJob(),
  key: `${WAKE_REPLICAS}:later`,
  runAt: new Date(now.getTime() + SECOND_WAKE_DELAY_MS),
});

export const SWEEP_WITHDRAWN = 'sweep-withdrawn';

/** A job that enqueues the deletion of withdrawn files again, in case the queue has lost it. */
export const sweepWithdrawnJob = () => ({ name: SWEEP_WITHDRAWN, key: SWEEP_WITHDRAWN, data: {}, priority: 200 });
