import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { Server } from 'node:https';
import { DEFAULT_CIPHERS, rootCertificates, type SecureContextOptions } from 'node:tls';
import type { LoggerService } from '@nestjs/common';
import {
  findCertificateProblems,
  findChainProblems,
  loadKeyPair,
  type KeyPair,
  type KeyPairFiles,
} from './tls-key-pair.js';

/** TLS 1.2 without the suites that use SHA-1, which all have CBC as well. A new certificate needs them again. */
export const TLS_RULES = {
  minVersion: 'TLSv1.2',
  ciphers: `${DEFAULT_CIPHERS}:!SHA1`,
} as const satisfies SecureContextOptions;

/**
 * Interval in which both files are read. Reading is cheap, and it finds every kind of replacement: a file that is
 * written again, a file that is renamed into place, and a symbolic link that changes, as in Kubernetes.
 */
const RELOAD_INTERVAL_MS = 5_000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Something that is wrong with the certificate, in whole sentences. */
export interface CertificateProblem {
  readonly what: string;
  readonly since: Date;
}

/** The authorities that Node.js trusts, with those that an administrator has added. */
function trustedAuthorities(): X509Certificate[] {
  const path = process.env['NODE_EXTRA_CA_CERTS'];
  const extra = path !== undefined && existsSync(path) ? readFileSync(path, 'utf8') : '';
  const blocks = extra.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return [...blocks, ...rootCertificates].flatMap((pem) => {
    try {
      return [new X509Certificate(pem)];
    } catch {
      return [];
    }
  });
}

interface ServedKeyPairOptions {
  readonly logger: LoggerService;
  /** Address of this server. Null when it is not set. */
  readonly ownUrl: string | null;
  /** Interval in which both files are read, in milliseconds. RELOAD_INTERVAL_MS when left out. */
  readonly lookEveryMs?: number;
}

/**
 * The certificate that this server uses for TLS, with its key. It is replaced when its files change. When the new pair
 * cannot be used, the old one stays. Open connections keep the certificate with which they were opened.
 */
export class ServedKeyPair {
  /** The pair that was loaded last, or the message of the last error. It tells whether the files have changed. */
  private tried: string;
  private warnedAt = 0;
  private problems: readonly CertificateProblem[] = [];
  private refused: CertificateProblem | null = null;

  constructor(
    private readonly files: KeyPairFiles,
    private pair: KeyPair,
    private readonly options: ServedKeyPairOptions,
  ) {
    this.tried = this.stateOf(pair);
    this.warnAboutProblems();
  }

  /** What is wrong with the pair in use, and why a newer one is not used. */
  findProblems(): readonly CertificateProblem[] {
    return this.refused ? [...this.problems, this.refused] : this.problems;
  }

  /** The pair that is in use. */
  get current(): KeyPair {
    return this.pair;
  }

  /**
   * Gives each new pair to a server, until the returned function is called. The signal SIGHUP makes this process
   * read the files at once and log the result, even when they have not changed.
   */
  follow(server: Pick<Server, 'setSecureContext'>): () => void {
    const look = (): void => this.reload(server, false);
    const timer = setInterval(look, this.options.lookEveryMs ?? RELOAD_INTERVAL_MS).unref();
    const onSignal = (): void => this.reload(server, true);
    process.on('SIGHUP', onSignal);
    return () => {
      clearInterval(timer);
      process.off('SIGHUP', onSignal);
    };
  }

  private reload(server: Pick<Server, 'setSecureContext'>, wasAsked: boolean): void {
    const { logger } = this.options;
    try {
      const found = loadKeyPair(this.files);
      const state = this.stateOf(found);
      if (state === this.tried && !wasAsked) return this.warnDaily();
      this.tried = state;
      server.setSecureContext({ cert: found.cert, key: found.key, ...TLS_RULES });
      this.pair = found;
      this.refused = null;
      logger.log(`The TLS certificate was loaded, valid until ${found.leaf.validTo}`, 'Tls');
      this.warnAboutProblems();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason === this.tried && !wasAsked) return;
      this.tried = reason;
      const what = `The new TLS certificate cannot be used, so the former one stays in use. ${reason}`;
      this.refused = { what, since: new Date() };
      logger.error(what, undefined, 'Tls');
    }
  }

  private stateOf({ cert, key }: KeyPair): string {
    return `${cert}\n${key}`;
  }

  private warnDaily(): void {
    if (Date.now() - this.warnedAt > DAY_MS) this.warnAboutProblems();
  }

  private warnAboutProblems(): void {
    this.warnedAt = Date.now();
    const { ownUrl, logger } = this.options;
    const doubts = [
      ...findCertificateProblems(this.pair, ownUrl, Date.now()),
      ...findChainProblems(this.pair, trustedAuthorities()),
    ];
    const since = new Date();
    this.problems = doubts.map((what) => this.problems.find((known) => known.what === what) ?? { what, since });
    for (const doubt of doubts) logger.warn(doubt, 'Tls');
  }
}
