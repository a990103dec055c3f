import type { DataSource } from 'typeorm';
import type { RecordedEvent } from '../../../kernel/events.js';
import { logHolds } from '../../../platform/eventsourcing/history.js';
import type { EventStore } from '../../../ports/event-store.port.js';
import { bindEvent, type ChainLink, hashEntry } from '../chain/chain-entry.js';
import { findLink, readLinks } from '../chain/chain-table.js';
import { readCheckpointsAfter } from '../chain/checkpoint-table.js';
import type { ChainWalk } from './chain-walk.js';
import type { KeyHistory } from './key-history.js';
import { Tampered } from './problem.js';

/** Finds out why the log has another event than expected at a place. */
async function explainMisplaced(
  dataSource: DataSource,
  store: EventStore,
  expected: ChainLink,
  found: RecordedEvent,
): Promise<Tampered> {
  const { number, eventId } = expected;
  const entry = await findLink(dataSource, found.id);
  const isLater = await logHolds(store, found.cursor, eventId);
  const there = `event ${found.id} (${found.type})`;
  if (entry && isLater) {
    const what = `Entry ${number}, event ${eventId}, comes later in the log. In its place is ${there}, which is entry ${entry.number}.`;
    return new Tampered({ wrong: 'reordered', number, eventId, what });
  }
  if (entry) {
    const what = `Entry ${number}, event ${eventId}, is missing from the log. In its place is ${there}, which is entry ${entry.number}.`;
    return new Tampered({ wrong: 'removed', number, eventId, what });
  }
  if (isLater) {
    const what = `In the place of entry ${number} is ${there}, which is not in the chain: it was inserted before event ${eventId}.`;
    return new Tampered({ wrong: 'inserted', number, eventId: found.id, what });
  }
  const what = `Entry ${number} was event ${eventId}. In its place is ${there}, which is not in the chain.`;
  return new Tampered({ wrong: 'changed', number, eventId, what });
}

/** The sources of a verification: the event log, and the database with the chain and the entries that are shown. */
export interface LogSources {
  readonly store: EventStore;
  /** Connections whose search path is the schema of the read models. */
  readonly dataSource: DataSource;
}

const PAGE_CHECKPOINTS = 200;

interface StoredCheckpoint {
  readonly sequence: number;
  readonly number: number;
  readonly checkpoint: unknown;
}

const readNumber = (checkpoint: unknown): number => {
  const number: unknown =
    typeof checkpoint === 'object' && checkpoint !== null ? Reflect.get(checkpoint, 'number') : null;
  return typeof number === 'number' ? number : 0;
};

/** The stored checkpoints. Each is verified when the verification reaches its entry. */
export class StoredCheckpoints {
  private waiting: StoredCheckpoint[] = [];
  private read: number;

  constructor(
    private readonly dataSource: DataSource,
    private readonly walk: ChainWalk,
    /** The last checkpoint when the verification began; a running server adds more. */
    private readonly lastSequence: number,
  ) {
    this.read = walk.last?.sequence ?? 0;
  }

  /** @throws Tampered */
  async verifyReached(): Promise<void> {
    for (let next = await this.peekNext(); next && next.number <= this.walk.number; next = await this.peekNext()) {
      this.walk.verifyCheckpoint(next.checkpoint);
      this.waiting.shift();
    }
  }

  /** @throws Tampered when a checkpoint is left whose entry does not exist */
  async checkEnd(): Promise<void> {
    const next = await this.peekNext();
    if (!next) return;
    const number = this.walk.number + 1;
    const what = `Checkpoint ${next.sequence} was signed for ${next.number} entries, but there are only ${this.walk.number}: the end of the trail is missing.`;
    throw new Tampered({ wrong: 'tail', number, upTo: next.number, eventId: null, what });
  }

  private async peekNext(): Promise<StoredCheckpoint | undefined> {
    if (this.waiting.length === 0) {
      const page = await readCheckpointsAfter(this.dataSource, this.read, PAGE_CHECKPOINTS);
      this.waiting = page
        .filter(({ sequence }) => sequence <= this.lastSequence)
        .map((stored) => ({ ...stored, number: readNumber(stored.checkpoint) }));
      this.read = page.at(-1)?.sequence ?? this.read;
    }
    return this.waiting[0];
  }
}

interface PageContext extends LogSources {
  readonly walk: ChainWalk;
  readonly keys: KeyHistory;
  readonly checkpoints: StoredCheckpoints;
  /** Number of the last entry of the chain. */
  readonly end: number;
}

type Links = ReadonlyMap<number, ChainLink>;

/** Compares a page of the log with the chain, up to the last entry of the chain. `reached` is called after each entry. @throws Tampered */
export async function verifyPage(
  walking: PageContext,
  events: readonly RecordedEvent[],
  reached: () => void,
): Promise<void> {
  const { dataSource, walk, checkpoints, end } = walking;
  const from = walk.number + 1;
  const links: Links = new Map(
    (await readLinks(dataSource, from, from + events.length)).map((link) => [link.number, link]),
  );
  for (const [i, event] of events.entries()) {
    if (walk.number >= end) return;
    await verifyEvent(walking, event, events[i + 1], links);
    await checkpoints.verifyReached();
    reached();
  }
}

async function verifyEvent(
  { dataSource, store, walk, keys }: PageContext,
  event: RecordedEvent,
  next: RecordedEvent | undefined,
  links: Links,
) {
  const number = walk.number + 1;
  const link = links.get(number);
  if (!link) {
    const what = `Entry ${number} was removed from the chain. In the log it is event ${event.id} (${event.type}).`;
    throw new Tampered({ wrong: 'removed', number, eventId: event.id, what });
  }
  if (link.eventId !== event.id) throw await explainMisplaced(dataSource, store, link, event);
  const bound = bindEvent(event, number, walk.hash);
  const hash = hashEntry(bound);
  if (hash !== link.hash)
    throw makeChangedError(event, link, hash, chainContinues(next, links.get(number + 1), number, hash));
  keys.noteEvent(bound);
  walk.advance(hash);
}

/** True when the chain continues from this hash. Then the stored hash of the entry was changed, and not the event. */
function chainContinues(
  next: RecordedEvent | undefined,
  link: ChainLink | undefined,
  number: number,
  hash: string,
): boolean {
  return next !== undefined && link !== undefined && hashEntry(bindEvent(next, number + 1, hash)) === link.hash;
}

function makeChangedError(
  event: RecordedEvent,
  { number, hash }: ChainLink,
  actual: string,
  chainIsWrong: boolean,
): Tampered {
  const entry = `Entry ${number}, event ${event.id} (${event.type} in ${event.stream}),`;
  const hashes = `its hash is ${actual}, but the chain says ${hash}`;
  const what = chainIsWrong
    ? `${entry} does not have its own hash in the chain: ${hashes}. Only the chain was changed, and the event is as it was recorded.`
    : `${entry} was changed after it was recorded: ${hashes}.`;
  return new Tampered({ wrong: 'changed', number, eventId: event.id, what });
}
