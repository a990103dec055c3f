import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { ChunkRange } from '../../../../kernel/runs.js';
import { CHUNK_SIZE, PackageStorage, type RunningDigest } from '../../../../ports/package-storage.port.js';
import type { FetchPlan } from '../../commands/progress/plan-fetch.command.js';

/** Smaller files are read at the end as quickly. */
const MIN_CHUNKS = 32;
const MAX_RUNNING = 16;

/**
 * Whole-file digests that follow the verified beginning of the files being fetched, so that at the end little is left
 * to read. A hint only: whatever is lost here is read again by `PackageStorage.digest`.
 */
@Injectable()
export class RunningDigests {
  private readonly running = new LRUCache<string, RunningDigest>({
    max: MAX_RUNNING,
    disposeAfter: (digest, _key, why) => {
      if (why !== 'delete') digest.drop();
    },
  });

  constructor(private readonly storage: PackageStorage) {}

  /** Tells the digest of a file which runs of its chunks are verified now. */
  advance(plan: FetchPlan, path: string, verified: readonly ChunkRange[]): void {
    const [start] = verified;
    if (plan.chunkCount < MIN_CHUNKS || start?.first !== 0) return;
    const digest = this.running.get(digestKey(plan)) ?? this.beginDigest(plan, path);
    digest.advance(Math.min(start.count * CHUNK_SIZE, plan.size));
  }

  /** SHA-256 of the whole staged file in lower-case hex, all of whose chunks are verified. */
  async finish(plan: FetchPlan, path: string): Promise<string> {
    const digest = this.running.get(digestKey(plan));
    this.running.delete(digestKey(plan));
    return digest ? digest.finish() : this.storage.digest(path);
  }

  private beginDigest(plan: FetchPlan, path: string): RunningDigest {
    const digest = this.storage.beginDigest(path);
    this.running.set(digestKey(plan), digest);
    return digest;
  }
}

/** A replica that was asked for again has another file. */
const digestKey = ({ packageId, round }: FetchPlan): string => `${packageId}/${round}`;
