import { Client } from 'pg';
import { backoffMs } from '../../../kernel/retry.js';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import { freeDeadWorkers, markAlive } from './sql/free-dead-workers.js';

const SWEEP_INTERVAL_MS = 5000;

/**
 * A session whose locks say that the workers of this process are alive, and that frees what dead ones held: at the
 * start and every 5 s. After it was lost it comes back, and says so again.
 */
export class Liveness {
  private workers: string[] = [];
  private session: Client | null = null;
  private timer: NodeJS.Timeout | undefined;
  private turn: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly settings: DatabaseSettings,
    /** Called after each sweep: freed jobs may be waiting. */
    private readonly onSwept: () => void,
  ) {}

  async start(): Promise<void> {
    await this.connect(1);
  }

  add(worker: string): void {
    this.workers.push(worker);
    void this.inTurn(async (session) => markAlive(session, [worker])).catch(() => undefined);
  }

  /** The workers so far have ended, maybe with jobs in hand: without the session, those are free. It comes back. */
  forget(): void {
    this.workers = [];
    void this.session?.end().catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.session?.end().catch(() => undefined);
  }

  private async connect(attempt: number): Promise<void> {
    const session = new Client({
      ...this.settings,
      application_name: 'odst job liveness',
      keepAlive: true,
      connectionTimeoutMillis: 5000,
    });
    session.on('error', () => undefined);
    try {
      await session.connect();
      session.once('end', () => this.lost());
      this.session = session;
      await this.inTurn(() => markAlive(session, this.workers));
      await this.sweep();
    } catch {
      void session.end().catch(() => undefined);
      if (this.session !== session) this.later(attempt);
    }
  }

  private async sweep(): Promise<void> {
    // A sweep that fails is made up for by the next one.
    await this.inTurn((session) => freeDeadWorkers(session, this.workers)).catch(() => undefined);
    if (this.stopped || !this.session) return;
    this.onSwept();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.sweep(), SWEEP_INTERVAL_MS);
  }

  /** One query at a time; none while the session is away, since on its return all is said anew. */
  private inTurn(work: (session: Client) => Promise<void>): Promise<void> {
    const { session } = this;
    if (!session) return Promise.resolve();
    const turn = this.turn.then(() => work(session));
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  private lost(): void {
    this.session = null;
    this.later(1);
  }

  private later(attempt: number): void {
    clearTimeout(this.timer);
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.connect(attempt + 1), backoffMs(attempt, 50, 5000, Math.random()));
  }
}
