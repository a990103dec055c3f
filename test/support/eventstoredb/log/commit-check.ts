import type { RecentEvents } from './recent-events.js';
import type { ExpectedRevision, StoredEvent } from './record.js';

/** May this append be stored, was it stored before (`last` is its last event), or is the stream somewhere else? */
export type CommitDecision =
  | { readonly kind: 'store' | 'conflict' }
  | { readonly kind: 'repeated'; readonly last: StoredEvent };

export interface CommitRequest {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly ids: readonly string[];
  /** What the stream holds now. */
  readonly stored: readonly StoredEvent[];
  /** There is a `$$stream`: `stream_exists` is content with that. */
  readonly hasMetadata: boolean;
  readonly recent: RecentEvents;
}

const STORE = { kind: 'store' } as const;
const CONFLICT = { kind: 'conflict' } as const;

/**
 * The rules of EventStoreDB's `CheckCommit`. An append is a repetition of an earlier one if
 * - it expects a revision behind the stream's, and the events that follow that revision have exactly its ids, in order;
 * - or it expects any revision (or any existing stream), and all its ids are among the recent ones of that stream.
 * If only the first ids match, that is a conflict. Ids that are known in another stream, or in this one at another
 * revision than the expected one, mean nothing: the event is stored a second time.
 */
export function checkCommit(request: CommitRequest): CommitDecision {
  const { expected, stored, hasMetadata } = request;
  if (expected === 'any') return checkRecent(request);
  if (expected === 'stream_exists') return stored.length === 0 && !hasMetadata ? CONFLICT : checkRecent(request);
  return checkAt(request, expected === 'no_stream' ? 0n : expected + 1n);
}

function checkRecent({ stream, ids, recent }: CommitRequest): CommitDecision {
  let last: StoredEvent | undefined;
  for (const id of ids) {
    const known = recent.find(stream, id);
    if (known === undefined) return last === undefined ? STORE : CONFLICT;
    last = known;
  }
  return last === undefined ? STORE : { kind: 'repeated', last };
}

/** `next` is the revision that the first event would get. */
function checkAt({ ids, stored }: CommitRequest, next: bigint): CommitDecision {
  const end = BigInt(stored.length);
  if (next === end) return STORE;
  if (next > end) return CONFLICT;
  const first = Number(next);
  const last = stored[first + ids.length - 1];
  const isRepeated = ids.length > 0 && ids.every((id, i) => stored[first + i]?.id === id);
  return isRepeated && last ? { kind: 'repeated', last } : CONFLICT;
}
