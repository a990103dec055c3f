/** Several processes of one server agree on who does what only one of them may do at a time. */
export abstract class Locks {
  /**
   * Waits until nobody holds `name`, in this process or another, then does the work and lets go. Null when `signal`
   * aborted first. `held` aborts with the signal, and when the lock is lost because its database is away: another
   * process may hold it from then on, so the work has to end, and what it still writes must not do harm.
   * When a process dies its locks are free at once, when its machine does within 10 s.
   */
  abstract hold<T>(
    name: string,
    signal: AbortSignal,
    work: (held: AbortSignal) => Promise<T>,
    /** Called once when another process holds it. */
    onTaken?: () => void,
  ): Promise<T | null>;

  /** Does no other process of this server run? As long as `boot` is held here, none can begin to. */
  abstract isAlone(): Promise<boolean>;

  /** Lets go of everything. */
  abstract close(): Promise<void>;
}
