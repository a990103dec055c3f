import type { Stage } from '../../kernel/stage.js';
import type { DirectorySettings } from '../../ports/directory.port.js';

/** What one process of a server does: answer HTTP, do the work in the background, or both. */
export const PROCESS_ROLES = ['all', 'api', 'worker'] as const;
export type ProcessRole = (typeof PROCESS_ROLES)[number];

/** The configuration of this process, checked at boot (`src/server/config`). Doubles as the injection token. */
export abstract class Settings {
  abstract readonly role: ProcessRole;
  abstract readonly port: number;
  /** Absolute path. */
  abstract readonly dataDir: string;
  /** Set by ODST_URL, ODST_NAME, ODST_STAGE, ODST_REACHABLE; null when left to the server's own settings. */
  abstract readonly url: string | null;
  abstract readonly name: string | null;
  abstract readonly stage: Stage | null;
  abstract readonly reachable: boolean | null;
  /** Used once, when the `admin` account is made. */
  abstract readonly adminPassword: string | null;
  /** 32 bytes that encrypt secrets at rest; null keeps them under a key file in the data folder. */
  abstract readonly secretKey: Buffer | null;
  abstract readonly databaseUrl: string | null;
  /** Null keeps the event log in PostgreSQL. */
  abstract readonly eventStoreUrl: string | null;
  /** Null keeps the job queue in PostgreSQL. */
  abstract readonly redisUrl: string | null;
  /** Absolute paths of the certificate and its key, null for plain HTTP. */
  abstract readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  /** Of HTTP Strict Transport Security. */
  abstract readonly hstsSeconds: number;
  /** May who is signed in ask for the schema of GraphQL? */
  abstract readonly introspection: boolean;
  /** Null for accounts of this server only. */
  abstract readonly directory: DirectorySettings | null;
  /** Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, as `proxy-addr` takes them; usually none. */
  abstract readonly trustedProxies: readonly string[];
  /** Internal location of the proxy that sends package files itself, with a slash at both ends; null for none. */
  abstract readonly accelRedirect: string | null;
  /** So long the file of a replica stays that was withdrawn because of its stage, in milliseconds. */
  abstract readonly withdrawnGraceMs: number;
  /** Bytes of stored packages that are read again in a second, to find damage; 0 for none. */
  abstract readonly scrubRate: number;
  /** Days between two readings of one package. */
  abstract readonly scrubDays: number;
  abstract readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}
