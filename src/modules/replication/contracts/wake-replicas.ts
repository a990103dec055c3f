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
