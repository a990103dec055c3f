export const WAKE_REPLICAS = 'wake-replicas';

/** A job that puts the work of all unfinished replicas in the queue again, now: it may be lost or wait in vain. */
export const wakeReplicas = () => ({ name: WAKE_REPLICAS, key: WAKE_REPLICAS, data: {}, priority: 10 });
