export interface HoldOptions {
  /** Ends the wait for the lock, and the work. Without it, the lock is waited for as long as it takes. */
  readonly signal?: AbortSignal;
  /** Is called once if another process holds the lock. */
  readonly onTaken?: () => void;
}

/** Locks by which the processes of one server agree on who does work that only one may do at a time. */
export abstract class Locks {
  /**
   * Waits until nobody holds `name`, in this process or another, does the work and releases the lock. Null if the signal
   * was aborted or the locks were closed first. `held` is aborted with the signal, and when the lock is lost because its
   * database is away: another process may hold it from then on, so the work has to end, and what it still writes must
   * not do harm. When a process dies, its locks are free at once; when its machine fails, they are free within 10 s.
   */
  abstract hold<T>(name: string, work: (held: AbortSignal) => Promise<T>, options?: HoldOptions): Promise<T | null>;

  /** True when no other process of this server runs. While this process holds the lock `boot`, none can start. */
  abstract isAlone(): Promise<boolean>;

  /** Releases all locks. */
  abstract close(): Promise<void>;
}
