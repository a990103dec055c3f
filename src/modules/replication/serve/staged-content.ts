import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Refusal } from '../../../kernel/errors.js';
import { CHUNK_SIZE, type ChunkRange } from '../../../kernel/chunk-ranges.js';
import { StreamReader } from '../../../platform/eventsourcing/stream-reader.js';
import { parseRanges, type ByteRange } from '../../../platform/http/files/file-request.js';
import { type Pace, sendRanges } from '../../../platform/http/files/send-ranges.js';
import type { Representation } from '../../../platform/http/files/representation.js';
import { PackageStorage, type StoredFile } from '../../../ports/package-storage.port.js';
import { ourReplica } from '../replica/our-replica.js';
import type { ReplicaState } from '../replica/replica.state.js';
import { ReplicaNews, type NewsWatch } from './replica-news.js';

/** The time to wait for the first chunk of an answer and for each later one. A peer gives up after 15 seconds without a byte. */
const FIRST_CHUNK_TIMEOUT_MS = 5_000;
const NEXT_CHUNK_TIMEOUT_MS = 12_000;

const chunksPending = (): Refusal =>
  new Refusal('CHUNKS_PENDING', 'This server fetches the package itself and does not have those chunks yet.');

/** Ends an answer that has begun. The peer keeps what it has verified. */
class ChunksDidNotCome extends Error {}

/** Returns the end of the verified bytes that contain the byte `at`. Null when the chunk at `at` is not verified. */
function verifiedEnd(verified: readonly ChunkRange[], at: number): number | null {
  const index = Math.floor(at / CHUNK_SIZE);
  const range = verified.find(({ first, count }) => first <= index && index < first + count);
  return range ? (range.first + range.count) * CHUNK_SIZE : null;
}

/** True when a file exists that contains the verified chunks of the replica. */
const isServable = ({ status }: ReplicaState): boolean => status === 'pending' || status === 'published';

/** Passes on chunks of a package while this or another process of the server is still fetching the rest. */
@Injectable()
export class StagedContent {
  constructor(
    private readonly streams: StreamReader,
    private readonly storage: PackageStorage,
    private readonly news: ReplicaNews,
  ) {}

  /** The verified chunks of our copy, which may be whole or still being fetched; null when there is no copy. */
  async findVerified(packageId: string): Promise<readonly ChunkRange[] | null> {
    const replica = await this.loadReplica(packageId);
    return isServable(replica) ? replica.verified : null;
  }

  /**
   * Answers a request for one range, chunk by chunk. Sends nothing and gives false when the package is not being fetched, or
   * when it has just been published. Refusal: CHUNKS_PENDING.
   */
  async sendRange(
    request: IncomingMessage,
    response: ServerResponse,
    packageId: string,
    { representation, pace }: RangeResponse,
  ): Promise<boolean> {
    const [range, ...others] = parseRanges(request.headers.range, representation.size) ?? [];
    if (request.method !== 'GET' || !range || others.length > 0) return false;
    if ((await this.loadReplica(packageId)).status !== 'pending') return false;
    const left = new AbortController();
    response.once('close', () => left.abort());
    const watch = this.news.watchReplica(packageId);
    try {
      return await this.sendWatched(
        { packageId, watch, signal: left.signal },
        response,
        { representation, pace },
        range,
      );
    } finally {
      watch.close();
    }
  }

  private async sendWatched(
    wait: Waiting,
    response: ServerResponse,
    { representation, pace }: RangeResponse,
    range: ByteRange,
  ): Promise<boolean> {
    const opened = await this.openStaged(wait, range.start);
    if (!opened) return false;
    const { file, round } = opened;
    try {
      response.writeHead(206, headOf(representation, range));
      await sendRanges(response, file, this.verifiedSpans(wait, round, range), undefined, pace);
    } catch (error) {
      response.destroy();
      if (!(error instanceof ChunksDidNotCome)) throw error;
    } finally {
      file.close();
    }
    return true;
  }

  /**
   * Opens the staged file once the byte at `at` is verified in it. Gives null when the package was published meanwhile. A
   * withdrawal and a new request may come before the file is opened; then the file is another one, and the round tells.
   */
  private async openStaged(wait: Waiting, at: number): Promise<{ file: StoredFile; round: number } | null> {
    const before = await this.waitUntil(
      wait,
      FIRST_CHUNK_TIMEOUT_MS,
      ({ verified, status }) => status !== 'pending' || verifiedEnd(verified, at) !== null,
    );
    if (before?.status === 'published') return null;
    const file = before?.status === 'pending' ? await this.storage.openReplica(wait.packageId) : null;
    const after = await this.loadReplica(wait.packageId);
    if (file && before && isServable(after) && after.round === before.round) return { file, round: after.round };
    file?.close();
    if (after.status === 'published') return null;
    throw chunksPending();
  }

  /** Gives the range in parts, each as soon as it is verified. @throws ChunksDidNotCome */
  private async *verifiedSpans(wait: Waiting, round: number, { start, end }: ByteRange): AsyncGenerator<ByteRange> {
    for (let at = start; at < end;) {
      const isSameFile = (replica: ReplicaState): boolean => isServable(replica) && replica.round === round;
      const isSettled = (replica: ReplicaState): boolean =>
        !isSameFile(replica) || verifiedEnd(replica.verified, at) !== null;
      const replica = await this.waitUntil(wait, NEXT_CHUNK_TIMEOUT_MS, isSettled);
      const upTo = replica && isSameFile(replica) ? verifiedEnd(replica.verified, at) : null;
      if (upTo === null) throw new ChunksDidNotCome();
      yield { start: at, end: Math.min(upTo, end) };
      at = upTo;
    }
  }

  /** Waits until the replica is as wanted. Gives null after `ms` milliseconds, and when nobody waits any more. */
  private async waitUntil(
    { packageId, watch, signal }: Waiting,
    ms: number,
    isWanted: (replica: ReplicaState) => boolean,
  ): Promise<ReplicaState | null> {
    const until = performance.now() + ms;
    while (!signal.aborted && !this.news.ended && performance.now() < until) {
      const replica = await this.loadReplica(packageId);
      if (isWanted(replica)) return replica;
      await watch.next(signal);
    }
    return null;
  }

  private async loadReplica(packageId: string): Promise<ReplicaState> {
    return (await this.streams.load(ourReplica, packageId)).state;
  }
}

/** The file that is sent, and its pace, which is null when there is no limit. */
interface RangeResponse {
  readonly representation: Representation;
  readonly pace: Pace | null;
}

/** A peer that is waiting for chunks of one package. */
interface Waiting {
  readonly packageId: string;
  readonly watch: NewsWatch;
  /** Aborts when the peer has left. */
  readonly signal: AbortSignal;
}

function headOf(representation: Representation, { start, end }: ByteRange): string[] {
  return representation.headersWith({
    'Content-Type': representation.contentType,
    'Content-Range': `bytes ${start}-${end - 1}/${representation.size}`,
    'Content-Length': String(end - start),
  });
}
