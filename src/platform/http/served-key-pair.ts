import type { Server } from 'node:https';
import type { LoggerService } from '@nestjs/common';
import { findCertificateProblems, loadKeyPair, type KeyPair, type KeyPairFiles } from './tls-key-pair.js';

/**
 * Both files are read so often. Reading them is cheap, and sees every way in which files are replaced: written anew,
 * renamed into place, or behind a symbolic link that turns, as in Kubernetes.
 */
const RELOAD_INTERVAL_MS = 5_000;
const DAY_MS = 24 * 60 * 60 * 1000;

interface ServedKeyPairOptions {
  readonly logger: LoggerService;
  /** Address of this server, where it is set. */
  readonly ownUrl: string | null;
  readonly lookEveryMs?: number;
}

/**
 * The certificate that is served, followed while its files change. A pair that cannot be used leaves the one before;
 * connections that are open keep theirs.
 */
export class ServedKeyPair {
  /** What was tried last, whether it can be used or not. */
  private tried: string;
  private warnedAt = 0;

  constructor(
    private readonly files: KeyPairFiles,
    private pair: KeyPair,
    private readonly options: ServedKeyPairOptions,
  ) {
    this.tried = this.stateOf(pair);
    this.warnAboutProblems();
  }

  get current(): KeyPair {
    return this.pair;
  }

  /** Serves what the files hold, from now on until the way back is called. SIGHUP looks at once, and says what it found. */
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
      server.setSecureContext({ cert: found.cert, key: found.key });
      this.pair = found;
      logger.log(`The TLS certificate was loaded, valid until ${found.leaf.validTo}`, 'Tls');
      this.warnAboutProblems();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason === this.tried && !wasAsked) return;
      this.tried = reason;
      logger.error(`The TLS certificate stays as it was. ${reason}`, undefined, 'Tls');
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
    for (const doubt of findCertificateProblems(this.pair, this.options.ownUrl, Date.now()))
      this.options.logger.warn(doubt, 'Tls');
  }
}
