export const WAKE_REPLICAS = 'wake-replicas';

/** A job that puts the work of all unfinished replicas in the queue again, now: it may be lost or wait in vain. */
export const wakeReplicas = () => ({ name: WAKE_REPLICAS, key: WAKE_REPLICAS, data: {}, priority: 10 });

/** The same at a certain time: when a peer's time window opens. */
export const wakeReplicasAt = (at: Date) => ({ ...wakeReplicas(), key: `${WAKE_REPLICAS}:${at.toISOString()}`, runAt: at });

/** The same once more half a minute later, for replicas that the read model does not show yet. */
export const wakeReplicasLater = (now: Date) => ({
  ...wakeReplicas(),
  key: `${WAKE_REPLICAS}:later`,
  runAt: new Date(now.getTime() + 30_000),
});
