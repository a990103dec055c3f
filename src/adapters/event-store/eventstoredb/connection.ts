import { messageOf, StartupError } from '../../../kernel/errors.js';
import { backoffMs, retry } from '../../../kernel/retry.js';
import { isAccessDenied, isTemporary, NoAnswer, withTimeout } from './errors.js';
import type { EventStoreDbAddress } from './eventstoredb-url.js';
import { CALL_TIMEOUT_MS, type LogClient } from './log-client.js';
import { readEpoch, readHead } from './read-log.js';

export type EventStoreLog = (level: 'info' | 'warn' | 'error', message: string) => void;

/** Logs once that the connection is lost and once that it is back, however many calls notice it. */
export class OutageReporter {
  private isTold = false;

  constructor(
    private readonly shown: string,
    private readonly log: EventStoreLog,
  ) {}

  reportLost(error: unknown): void {
    if (this.isTold) return;
    this.isTold = true;
    this.log(
      'warn',
      `The connection to EventStoreDB at ${this.shown} is lost (${messageOf(error)}). The server tries again`,
    );
  }

  reportRestored(): void {
    if (!this.isTold) return;
    this.isTold = false;
    this.log('info', `EventStoreDB at ${this.shown} is back`);
  }
}

const WAITING_MESSAGE_INTERVAL_MS = 5_000;
const UNTRUSTED = /certificate|SSL routines|wrong version number|ERR_TLS|altnames/i;

export interface ConnectOptions {
  /** The time to wait for a server that does not answer, in milliseconds; 30 s when left out. */
  readonly patience?: number;
  readonly log: EventStoreLog;
}

/**
 * Waits until the log can be written and read.
 * @throws StartupError with one line, and at once when waiting cannot help
 */
export async function awaitServer(
  client: LogClient,
  { shown }: EventStoreDbAddress,
  { patience = 30_000, log }: ConnectOptions,
): Promise<void> {
  const deadline = Date.now() + patience;
  const msLeft = (): number => Math.max(0, deadline - Date.now());
  let reason: unknown;
  let loggedAt = 0;
  const isWorthRetrying = (error: unknown): boolean => {
    // An earlier error says more than the error that no time was left for an answer.
    if (!(error instanceof NoAnswer)) reason = error;
    throwPermanent(error, shown);
    if (msLeft() === 0) throw unusableError(reason ?? error, shown, patience);
    return true;
  };
  const onFailure = (error: unknown): void => {
    if (Date.now() - loggedAt < WAITING_MESSAGE_INTERVAL_MS) return;
    loggedAt = Date.now();
    log('info', `Waiting for EventStoreDB at ${shown}: ${oneLine(error)}`);
  };
  await retry(() => tryFirstCalls(client, Math.max(1, msLeft())), {
    while: isWorthRetrying,
    backoff: (attempt) => Math.min(backoffMs(attempt, 50, 1000, Math.random()), msLeft()),
    onFailure,
  });
}

async function tryFirstCalls(client: LogClient, ms: number): Promise<void> {
  await withTimeout(
    Math.min(ms, 2 * CALL_TIMEOUT_MS),
    'the first calls',
    readEpoch(client).then(() => readHead(client, null)),
  );
}

/** @throws StartupError for an error that waiting does not remove */
function throwPermanent(error: unknown, shown: string): void {
  if (isAccessDenied(error)) {
    throw new StartupError(
      `EVENTSTOREDB_URL: EventStoreDB at ${shown} refuses this user. Correct user and password; the user must be allowed to read $all.`,
      error,
    );
  }
  if (UNTRUSTED.test(messageOf(error))) {
    throw new StartupError(
      `EVENTSTOREDB_URL: no trusted TLS connection to ${shown} (${oneLine(error)}). Name its CA with tlsCAFile, or correct tls.`,
      error,
    );
  }
  if (!isTemporary(error))
    throw new StartupError(`EVENTSTOREDB_URL: the event log at ${shown} cannot be used. ${oneLine(error)}`, error);
}

const unusableError = (error: unknown, shown: string, patience: number): StartupError =>
  new StartupError(
    `EVENTSTOREDB_URL: EventStoreDB at ${shown} could not be used within ${Math.round(patience / 1000)} s (${oneLine(error)}). Start it, or correct the address.`,
    error,
  );

const oneLine = (error: unknown): string => messageOf(error).replaceAll(/\s+/g, ' ').trim();
