import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CHUNK_SIZE, type ChunkRange } from '../../../kernel/chunk-ranges.js';
import { DIGEST_BYTES } from '../../../kernel/chunk-verifier.js';
import { streamOf } from '../../../kernel/decider.js';
import { EventStore } from '../../../ports/event-store.port.js';
import type { ReplicaFile, RunningDigest } from '../../../ports/package-storage.port.js';
import { packageEvents } from '../../packages/contracts/package.events.js';
import type { FetchPlan } from './replica-progress.command.js';

/** Enough for the digests of about 1 TB of packages. */
const MAX_KNOWN_BYTES = 32 * 1024 * 1024;

/** The SHA-256 digests of the chunks of packages. Those that were used lately are remembered. */
@Injectable()
export class ChunkDigests {
  private readonly known = new LRUCache<string, Buffer>({
    maxSize: MAX_KNOWN_BYTES,
    // The cache refuses a size of 0, which an empty package has.
    sizeCalculation: ({ length }) => Math.max(1, length),
  });

  constructor(private readonly store: EventStore) {}

  /** The digests of `count` chunks from chunk `first` on, 32 bytes each, without gaps. */
  async digestsOf(packageId: string, chunkCount: number, first: number, count: number): Promise<Buffer> {
    const all = this.known.get(packageId) ?? (await this.readDigests(packageId, chunkCount));
    return all.subarray(first * DIGEST_BYTES, (first + count) * DIGEST_BYTES);
  }

  /** Reads the digests from the log. A page that was recorded twice counts as it was recorded last. */
  private async readDigests(packageId: string, chunkCount: number): Promise<Buffer> {
    const all = Buffer.alloc(chunkCount * DIGEST_BYTES);
    for await (const record of this.store.readStream(streamOf('package', packageId))) {
      const event = packageEvents.read(record);
      if (event?.type !== 'PackageChunksHashed') continue;
      Buffer.from(event.data.sha256, 'base64').copy(all, event.data.first * DIGEST_BYTES);
    }
    this.known.set(packageId, all);
    return all;
  }
}

/** A file with fewer chunks is read at the end just as quickly. */
const MIN_CHUNKS = 32;
const MAX_RUNNING = 16;

/**
 * Digests of whole files that follow the verified beginning of the files being fetched, so that little is left to read
 * at the end. They only save time: a digest that is lost here is computed again over the whole file.
 */
@Injectable()
export class RunningDigests {
  private readonly running = new LRUCache<string, RunningDigest>({
    max: MAX_RUNNING,
    disposeAfter: (digest, _key, why) => {
      if (why !== 'delete') digest.drop();
    },
  });

  /** Lets the digest of a file read on as far as its chunks are verified without a gap. */
  advance(plan: FetchPlan, file: ReplicaFile, verified: readonly ChunkRange[]): void {
    const [start] = verified;
    if (plan.chunkCount < MIN_CHUNKS || start?.first !== 0) return;
    const digest = this.running.get(digestKey(plan)) ?? this.beginDigest(plan, file);
    digest.advance(Math.min(start.count * CHUNK_SIZE, plan.size));
  }

  /** SHA-256 (lower-case hex) of a replica's whole file, whose chunks are all verified. */
  async finish(plan: FetchPlan, file: ReplicaFile): Promise<string> {
    const digest = this.running.get(digestKey(plan));
    this.running.delete(digestKey(plan));
    return (digest ?? file.beginDigest()).finish();
  }

  private beginDigest(plan: FetchPlan, file: ReplicaFile): RunningDigest {
    const digest = file.beginDigest();
    this.running.set(digestKey(plan), digest);
    return digest;
  }
}

/** A replica that was requested again has another file. */
const digestKey = ({ packageId, round }: FetchPlan): string => `${packageId}/${round}`;
