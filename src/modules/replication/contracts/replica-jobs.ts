export const VERIFY_PACKAGE = 'verify-package';

/**
 * A job that reads the file of a package and, when it is damaged or gone, takes it out of service and has it mended.
 * Without effect for a package that is not held here.
 */
export const verifyPackageJob = (packageId: string) => ({
  name: VERIFY_PACKAGE,
  key: `verify:${packageId}`,
  data: { packageId },
  priority: 40,
});

export const WAKE_REPLICAS = 'wake-replicas';

const SECOND_WAKE_DELAY_MS = 30_000;

/** A job that puts the work of all unfinished replicas in the queue again, now: it may be lost or wait in vain. */
export const wakeReplicasJob = () => ({ name: WAKE_REPLICAS, key: WAKE_REPLICAS, data: {}, priority: 10 });

/** The same when a peer's time window opens, and once more after that, for the same reason as `wakeReplicasLater`. */
export const wakeReplicasJobsAt = (opensAt: Date) =>
  [opensAt, new Date(opensAt.getTime() + SECOND_WAKE_DELAY_MS)].map((runAt) => ({
    ...wakeReplicasJob(),
    key: `${WAKE_REPLICAS}:${runAt.toISOString()}`,
    runAt,
  }));

/** The same once more half a minute later, for replicas that the read model does not show yet. */
export const wakeReplicasLaterJob = (now: Date) => ({
  ...wakeReplicasJob(),
  key: `${WAKE_REPLICAS}:later`,
  runAt: new Date(now.getTime() + SECOND_WAKE_DELAY_MS),
});

export const SWEEP_WITHDRAWN = 'sweep-withdrawn';

/** A job that sees to it that the files of withdrawn replicas are deleted in the end, whatever became of the queue. */
export const sweepWithdrawnJob = () => ({ name: SWEEP_WITHDRAWN, key: SWEEP_WITHDRAWN, data: {}, priority: 200 });
