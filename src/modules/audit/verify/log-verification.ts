import { StartupError } from '../../../kernel/errors.js';
import { readHistory } from '../../../platform/eventsourcing/history.js';
import type { ChainLink } from '../chain/chain-entry.js';
import type { Checkpoint } from '../chain/checkpoint.js';
import { readLastLink, readLinks, readPlace, type ChainPlace } from '../chain/chain-table.js';
import { readCheckpoint, readLastCheckpoint, readLastSequence } from '../chain/checkpoint-table.js';
import { BEGINNING, ChainWalk, KeptCheckpoint, requireSignature, type Start } from './chain-walk.js';
import { KeyHistory } from './key-history.js';
import { Problems, Tampered, type Problem } from './problem.js';
import { ReadModelCheck } from './read-model-check.js';
import { type LogSources, StoredCheckpoints, verifyPage } from './verify-page.js';

export interface VerifyOptions {
  /** Trusted public keys, base64url. */
  readonly anchors: ReadonlySet<string>;
  /** A checkpoint that was kept outside the server and has to fit the trail. */
  readonly kept?: Checkpoint | null;
  /** Sequence number of the stored checkpoint after which the verification begins, or the last one. */
  readonly since?: number | 'last' | null;
  readonly progress?: (entries: number, total: number) => void;
}

export interface Verified {
  /** Problems in the order of the entries; empty when nothing was changed. */
  readonly problems: readonly Problem[];
  /** Number of verified entries of the chain. */
  readonly entries: number;
  readonly from: number;
  readonly checkpoints: number;
  /** The last checkpoint that was verified. */
  readonly lastCheckpoint: Checkpoint | null;
  /** Number of events of the log that are not in the chain yet. */
  readonly pending: number;
  /** Number of shown entries that were compared with the log; null while they are being built. */
  readonly shown: number | null;
  /** Number of events that are not shown, because they could not be processed. */
  readonly unshown: number;
}

/** The ends of chain and checkpoints when the verification began. */
interface EndState {
  readonly end: ChainLink;
  readonly place: ChainPlace | null;
  readonly checkpoints: StoredCheckpoints;
  readonly kept: KeptCheckpoint;
}

/** The place in the log where the verification begins. */
interface LogBeginning extends Start {
  readonly cursor: string | null;
}

/** Compares the event log, the chain, the checkpoints and the shown entries. It only reads. */
export class LogVerification {
  private readonly keys: KeyHistory;
  private pending = 0;

  constructor(
    private readonly sources: LogSources,
    private readonly options: VerifyOptions,
  ) {
    this.keys = new KeyHistory(options.anchors);
  }

  /** @throws StartupError when the verification can't begin at the requested place */
  async run(): Promise<Verified> {
    const start = await this.findBeginning();
    const shown = await ReadModelCheck.open(this.sources);
    const walk = new ChainWalk(start, this.keys);
    const problems = await this.findProblems(walk, start, shown);
    const entries = walk.number - start.number;
    const compared = shown.extent ? shown.compared : null;
    return {
      problems,
      entries,
      from: start.number + 1,
      checkpoints: walk.checkpoints,
      lastCheckpoint: walk.last,
      pending: this.pending,
      shown: compared,
      unshown: shown.unshown,
    };
  }

  /** Finds the first problem of the log and its chain, and the first problem of the shown entries. */
  private async findProblems(walk: ChainWalk, start: LogBeginning, shown: ReadModelCheck): Promise<readonly Problem[]> {
    const problems = new Problems();
    const { dataSource } = this.sources;
    // The chain is read last. While the server continues to work, the chain then is never behind the others.
    const checkpoints = new StoredCheckpoints(dataSource, walk, await readLastSequence(dataSource));
    const place = await readPlace(dataSource);
    const end = await readLastLink(dataSource);
    const walking = { ...this.sources, walk, keys: this.keys, checkpoints, end: end.number };
    const kept = new KeptCheckpoint(this.options.kept ?? null, walk);
    let isFirst = start.number > 0;
    for await (const events of readHistory(this.sources.store, start.cursor)) {
      if (isFirst && events[0]) await shown.beginAt(events[0].id);
      isFirst = false;
      const before = walk.number;
      await problems.watch('log', () => verifyPage(walking, events, () => kept.checkReached()));
      await problems.watch('shown', () => shown.comparePage(events));
      this.pending += events.length - (walk.number - before);
      this.options.progress?.(walk.number, end.number);
      if (problems.isComplete) break;
    }
    if (isFirst) shown.skipAll();
    await problems.watch('log', () => this.checkEnd(walk, { end, place, checkpoints, kept }));
    await problems.watch('shown', () => shown.checkEnd());
    return problems.found;
  }

  /** Verifies that the chain and the checkpoints end with the log. @throws Tampered */
  private async checkEnd(walk: ChainWalk, { end, place, checkpoints, kept }: EndState): Promise<void> {
    if (walk.number < end.number) {
      const number = walk.number + 1;
      const [link] = await readLinks(this.sources.dataSource, number, number);
      const what = `The log ends with entry ${walk.number}, but the chain continues up to entry ${end.number}. Entry ${number}, event ${link?.eventId ?? 'unknown'}, was removed from the log.`;
      throw new Tampered({ wrong: 'removed', number, upTo: end.number, eventId: link?.eventId ?? null, what });
    }
    await checkpoints.checkEnd();
    if (place && place.number > walk.number) throw makeTailError(walk.number, place.number);
    kept.checkEnd();
    walk.checkKeys();
  }

  private async findBeginning(): Promise<LogBeginning> {
    const { since = null } = this.options;
    const { dataSource, store } = this.sources;
    if (since === null) return { ...BEGINNING, cursor: null };
    const found = since === 'last' ? await readLastCheckpoint(dataSource) : await readCheckpoint(dataSource, since);
    if (!found)
      throw new StartupError(`There is no checkpoint ${since}. Leave --since-checkpoint out to verify everything.`);
    const { checkpoint, cursor } = found;
    if (!this.options.anchors.has(checkpoint.key))
      throw new StartupError(
        `Checkpoint ${checkpoint.sequence} is not signed with a trusted key. Leave --since-checkpoint out.`,
      );
    if (found.epoch !== (await store.epoch()))
      throw new StartupError(
        'The log was moved to another engine after that checkpoint. Leave --since-checkpoint out.',
      );
    requireSignature(checkpoint);
    return { number: checkpoint.number, hash: checkpoint.hash, checkpoint, cursor };
  }
}

function makeTailError(last: number, expected: number): Tampered {
  const what = `The chain had reached entry ${expected}, but now ends with entry ${last}: its end was removed.`;
  return new Tampered({ wrong: 'tail', number: last + 1, upTo: expected, eventId: null, what });
}
