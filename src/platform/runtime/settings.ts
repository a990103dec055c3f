import type { Stage } from '../../kernel/stage.js';
import type { DirectorySettings } from '../../ports/directory.port.js';

/** The roles of a process: it answers HTTP (`api`), works in the background (`worker`), or does both (`all`). */
export const PROCESS_ROLES = ['all', 'api', 'worker'] as const;
/** A role of `PROCESS_ROLES`. */
export type ProcessRole = (typeof PROCESS_ROLES)[number];

/**
 * The configuration of this process. It is checked at the start (`src/server/config`). The class is also the injection
 * token.
 */
export abstract class Settings {
  abstract readonly role: ProcessRole;
  /** TCP port of the HTTP server. */
  abstract readonly port: number;
  /** Absolute path of the data folder. */
  abstract readonly dataDir: string;
  /** ODST_URL; null when the stored settings of the server decide. */
  abstract readonly url: string | null;
  /** ODST_NAME; null when the stored settings of the server decide. */
  abstract readonly name: string | null;
  /** ODST_STAGE; null when the stored settings of the server decide. */
  abstract readonly stage: Stage | null;
  /** ODST_REACHABLE; null when the stored settings of the server decide. */
  abstract readonly reachable: boolean | null;
  /** Password of the account `admin`, used once when the account is created; null generates one. */
  abstract readonly adminPassword: string | null;
  /** Key of 32 bytes that encrypts the secrets in the database; null uses the file `secret.key` in the data folder. */
  abstract readonly secretKey: Buffer | null;
  /** Address of an external PostgreSQL; null uses the embedded one. */
  abstract readonly databaseUrl: string | null;
  /** Address of an EventStoreDB; null keeps the event log in PostgreSQL. */
  abstract readonly eventStoreUrl: string | null;
  /** Address of a Redis; null keeps the job queue in PostgreSQL. */
  abstract readonly redisUrl: string | null;
  /** Absolute paths of the certificate and its private key; null for plain HTTP. */
  abstract readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  /** `max-age` of the header `Strict-Transport-Security`. */
  abstract readonly hstsSeconds: number;
  /** True when callers who are signed in may read the GraphQL schema. */
  abstract readonly introspection: boolean;
  /** Settings of the directory; null when there are only local accounts. */
  abstract readonly directory: DirectorySettings | null;
  /** Proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted, in the format of `proxy-addr`; usually none. */
  abstract readonly trustedProxies: readonly string[];
  /** Addresses and CIDR ranges at which peers are called although they are loopback or link-local addresses. */
  abstract readonly allowedPeerAddresses: readonly string[];
  /** Address of the proxy for calls to https:// addresses; null for none. */
  abstract readonly httpsProxy: string | null;
  /** Address of the proxy for calls to http:// addresses; null for none. */
  abstract readonly httpProxy: string | null;
  /** Names, addresses and networks of servers that are called without a proxy. */
  abstract readonly noProxy: readonly string[];
  /**
   * Internal location of nginx from which it sends package files, with a slash at both ends; null when the server sends
   * them itself.
   */
  abstract readonly accelRedirect: string | null;
  /** Grace time: how long the file of a replica stays that was withdrawn because of its stage. */
  abstract readonly withdrawnGraceMs: number;
  /** How long files are kept that belong to no package that this server knows. */
  abstract readonly unclaimedKeepMs: number;
  /** How long requests in progress may continue when the server stops. */
  abstract readonly stopGraceMs: number;
  /** Rate at which the scrub reads stored packages, in bytes per second; 0 switches the scrub off. */
  abstract readonly scrubRate: number;
  /** Number of days after which the scrub reads a package again; with 0, it never pauses. */
  abstract readonly scrubDays: number;
  /** GraphQL operations that one account may start per second. */
  abstract readonly graphqlRate: number;
  /** Whether changes of packages that are not signed are accepted from peers. */
  abstract readonly acceptsUnsignedFacts: boolean;
  abstract readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}
