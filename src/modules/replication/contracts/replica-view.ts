/** How far a server's copy of a package is. REQUESTED and FETCHING go on by themselves, FAILED waits for a retry. */
export const REPLICA_STATES = ['REQUESTED', 'FETCHING', 'PUBLISHED', 'FAILED', 'WITHDRAWN'] as const;
export type ReplicaState = (typeof REPLICA_STATES)[number];
