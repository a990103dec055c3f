import type { StreamPage, StreamPlace } from './read-log.js';

/** Streams of one query. */
const MAX_STREAMS = 16;
/** Queries under way at once: with more of them, each would have fewer streams. */
const MAX_QUERIES = 2;

interface Waiting {
  readonly place: StreamPlace;
  readonly resolve: (page: StreamPage) => void;
  readonly reject: (error: unknown) => void;
}

type Read = (places: readonly StreamPlace[]) => Promise<readonly StreamPage[]>;

/**
 * Reads of streams that are asked for at the same time share a query: a query costs far more than the few events that
 * a stream has. Each is begun after it was asked for, so it sees what was recorded before.
 */
export class GroupRead {
  private waiting: Waiting[] = [];
  private queries = 0;
  private isDue = false;

  constructor(private readonly readAll: Read) {}

  read(place: StreamPlace): Promise<StreamPage> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ place, resolve, reject });
      this.goOn();
    });
  }

  private goOn(): void {
    if (this.isDue || this.queries === MAX_QUERIES) return;
    this.isDue = true;
    // After all that this turn of the event loop still has to ask for.
    process.nextTick(() => {
      this.isDue = false;
      if (this.waiting.length > 0) void this.run(this.waiting.splice(0, MAX_STREAMS));
    });
  }

  private async run(group: readonly Waiting[]): Promise<void> {
    this.queries += 1;
    this.goOn();
    try {
      const pages = await this.readAll(group.map(({ place }) => place));
      group.forEach(({ resolve, reject }, i) => {
        const page = pages[i];
        if (page) resolve(page);
        else reject(new Error('The event log gave no page for a stream'));
      });
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      this.queries -= 1;
      this.goOn();
    }
  }
}
