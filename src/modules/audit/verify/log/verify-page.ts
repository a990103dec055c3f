import type { RecordedEvent } from '../../../../kernel/event.js';
import { bindEvent, hashEntry, type ChainLink } from '../../chain/chain-entry.js';
import { readLinks } from '../../chain/store/chain-table.js';
import type { ChainWalk } from '../chain-walk.js';
import type { KeyHistory } from '../key-history.js';
import { Tampered } from '../problem.js';
import { explainMisplaced } from './misplaced.js';
import type { LogSources } from './sources.js';
import type { StoredCheckpoints } from './stored-checkpoints.js';

export interface PageContext extends LogSources {
  readonly walk: ChainWalk;
  readonly keys: KeyHistory;
  readonly checkpoints: StoredCheckpoints;
  /** Number of the last entry of the chain. */
  readonly end: number;
}

type Links = ReadonlyMap<number, ChainLink>;

/** Compares a page of the log with the chain, as far as that has come. `reached` is called after each entry. @throws Tampered */
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
    const what = `The chain lacks entry ${number}: it was removed there. In the log that is event ${event.id} (${event.type}).`;
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

/** Does the chain go on from this hash? Then it is the entry before whose hash was changed, and not its event. */
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
  const hashes = `its hash is ${actual}, the chain has ${hash}`;
  const what = chainIsWrong
    ? `${entry} has another hash in the chain than when it was recorded: ${hashes}. The event is as it was.`
    : `${entry} is not what it was when it was recorded: ${hashes}.`;
  return new Tampered({ wrong: 'changed', number, eventId: event.id, what });
}
