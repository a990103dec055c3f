export const SWEEP_WITHDRAWN = 'sweep-withdrawn';

/** A job that sees to it that the files of withdrawn replicas are deleted in the end, whatever became of the queue. */
export const sweepWithdrawnJob = () => ({ name: SWEEP_WITHDRAWN, key: SWEEP_WITHDRAWN, data: {}, priority: 200 });
