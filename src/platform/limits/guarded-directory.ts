import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { cleanText } from '../../kernel/input-text.js';
import { backoffMs } from '../../kernel/retry.js';
import {
  Directory,
  type DirectoryPerson,
  DirectoryUnavailable,
  type DirectoryVerdict,
} from '../../ports/directory.port.js';
import { readPerson } from '../input/directory-person.js';
import { Gate } from './gate.js';

const MIN_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;

/**
 * Rejects calls to a service for some time after it has failed. The time grows with each failure, up to 30 s.
 * Afterwards one call tests whether the service works again, and the others are rejected until its result is known.
 */
class CircuitBreaker<E extends Error> {
  private failures = 0;
  private openUntil = 0;
  private last: E | null = null;
  private isProbing = false;

  /** @param isFailure tells which errors mean that the service has failed */
  constructor(
    private readonly isFailure: (error: unknown) => error is E,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Runs `work`, unless the circuit breaker is open.
   * @throws the last failure while the circuit breaker is open; otherwise what `work` throws
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.last && (this.now() < this.openUntil || this.isProbing)) throw this.last;
    const isProbe = this.last !== null;
    this.isProbing ||= isProbe;
    try {
      const result = await work();
      this.last = null;
      this.failures = 0;
      return result;
    } catch (error) {
      if (this.isFailure(error)) this.recordFailure(error);
      throw error;
    } finally {
      if (isProbe) this.isProbing = false;
    }
  }

  /** Failures of calls that ran at the same time count as one. */
  private recordFailure(error: E): void {
    if (this.now() >= this.openUntil) {
      this.failures += 1;
      this.openUntil = this.now() + backoffMs(this.failures, MIN_BACKOFF_MS, MAX_BACKOFF_MS, Math.random());
    }
    this.last = error;
  }
}

const MAX_CONCURRENT_CALLS = 8;
const MAX_WAITING_CALLS = 100;
/** A verdict is reused for this long, so a change in the directory takes effect after at most this time, or a refresh. */
const VERDICT_TTL_MS = 30_000;
const MAX_VERDICTS = 1_000;
const CHECK_TTL_MS = 10_000;
const MAX_REASON_LENGTH = 1_000;

const tooManySignIns = (): DirectoryUnavailable =>
  new DirectoryUnavailable('Too many people are signing in at once. Try again in a moment.');
const UNREADABLE_ID = 'The id of this person in the directory has characters that cannot be stored.';

/** The verdict with texts that can be stored. */
function readVerdict(verdict: DirectoryVerdict): DirectoryVerdict {
  if ('refused' in verdict) return { ...verdict, refused: cleanText(verdict.refused, MAX_REASON_LENGTH) };
  const person = readPerson(verdict.person);
  return person ? { person } : { refused: UNREADABLE_ID };
}

/** True when the directory itself has failed. A problem with one person must not block the sign-in of others. */
const isDown = (error: unknown): error is DirectoryUnavailable =>
  error instanceof DirectoryUnavailable && error.isGeneral;

/**
 * Protects a directory from too many calls, and this server from waiting for a directory that is down. At most 8 calls
 * run at once and 100 wait. Equal sign-ins share one call, and their verdict is reused for 30 s. After a failure the
 * directory is not called for some time. Passwords are not stored: verdicts are found by an HMAC under a key that
 * exists only in the memory of this process. All methods throw DirectoryUnavailable also when too many calls wait or
 * the directory has just failed.
 */
export class GuardedDirectory extends Directory {
  private readonly key = randomBytes(32);
  private readonly verdicts = new LRUCache<string, DirectoryVerdict>({ max: MAX_VERDICTS, ttl: VERDICT_TTL_MS });
  private asked = new Map<string, Promise<DirectoryVerdict>>();
  private readonly gate = new Gate(MAX_CONCURRENT_CALLS, MAX_WAITING_CALLS);
  private readonly breaker;
  private checked: { readonly at: number; readonly result: Promise<void> } | null = null;

  constructor(
    private readonly inner: Directory,
    private readonly now: () => number = Date.now,
  ) {
    super();
    this.breaker = new CircuitBreaker(isDown, now);
  }

  override get url(): string | null {
    return this.inner.url;
  }

  override authenticate(username: string, password: string): Promise<DirectoryVerdict> {
    const key = createHmac('sha256', this.key)
      .update(JSON.stringify([username, password]))
      .digest('base64');
    const known = this.verdicts.get(key);
    return known
      ? Promise.resolve(known)
      : this.once(key, async () => readVerdict(await this.guarded(() => this.inner.authenticate(username, password))));
  }

  /** What is being asked now may have been answered before the change, so it is not remembered either. */
  override forgetVerdicts(): void {
    this.verdicts.clear();
    this.asked = new Map();
  }

  override imitateAuthentication(username: string): Promise<void> {
    return this.guarded(() => this.inner.imitateAuthentication(username));
  }

  override async findPerson(username: string): Promise<DirectoryPerson | null> {
    const person = await this.guarded(() => this.inner.findPerson(username));
    return person && readPerson(person);
  }

  override async findPeople(ids: readonly string[]): Promise<readonly DirectoryPerson[]> {
    const people = await this.guarded(() => this.inner.findPeople(ids));
    return people.flatMap((person) => readPerson(person) ?? []);
  }

  /** Returns the result of the last check when it is at most 10 s old. */
  override checkAccess(): Promise<void> {
    if (this.checked && this.now() - this.checked.at < CHECK_TTL_MS) return this.checked.result;
    const result = this.guarded(() => this.inner.checkAccess());
    this.checked = { at: this.now(), result };
    return result;
  }

  private async once(key: string, ask: () => Promise<DirectoryVerdict>): Promise<DirectoryVerdict> {
    const { asked } = this;
    const running = asked.get(key);
    if (running) return running;
    const answer = ask();
    asked.set(key, answer);
    try {
      const verdict = await answer;
      if (asked === this.asked) this.verdicts.set(key, verdict);
      return verdict;
    } finally {
      asked.delete(key);
    }
  }

  /** The circuit breaker is inside the gate, so that calls that wait while the directory fails are rejected as well. */
  private async guarded<T>(work: () => Promise<T>): Promise<T> {
    if (this.inner.url === null) return work();
    return this.gate.run(() => this.breaker.run(work), tooManySignIns);
  }
}
