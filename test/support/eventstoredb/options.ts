import type { User } from './network/access.js';

export interface ServerOptions {
  /** 0 takes any; the same one is kept from the first start on. */
  readonly port?: number | undefined;
  /** Keeps the content here, so that another process can go on with it. */
  readonly dataFile?: string | undefined;
  /** PEM; `test/support/tls` has a pair for 127.0.0.1. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  /** The only user; everybody may do everything when left out. Clients send credentials over TLS only. */
  readonly user?: User | undefined;
  /** A system event follows every this many appends (5 when left out, none with Infinity). */
  readonly systemEventEvery?: number | undefined;
  /** Event ids that are remembered for appends that expect any revision (100,000 when left out). */
  readonly recentIds?: number | undefined;
  /** Events of one append share a commit position, as those of an explicit transaction do; else commit equals prepare. */
  readonly sharedCommits?: boolean | undefined;
  /** False: no CaughtUp and FellBehind messages, as before 23.10. */
  readonly tellsProgress?: boolean | undefined;
}
