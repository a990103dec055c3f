import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Run } from '../../../../kernel/runs.js';
import { CHUNK_SIZE, PackageStorage, type RunningDigest } from '../../../../ports/package-storage.port.js';
import type { FetchPlan } from '../../commands/progress/plan-fetch.command.js';

/** Smaller files are read at the end as quickly. */
const WORTH_CHUNKS = 32;
const MOST = 16;

/**
 * Whole-file digests that follow the verified beginning of the files being fetched, so that at the end little is left
 * to read. A hint only: whatever is lost here is read again by `PackageStorage.digest`.
 */
@Injectable()
export class RunningDigests {
  private readonly running = new LRUCache<string, RunningDigest>({
    max: MOST,
    disposeAfter: (digest, _key, why) => {
      if (why !== 'delete') digest.drop();
    },
  });

  constructor(private readonly storage: PackageStorage) {}

  /** Tells the digest of a file which runs of its chunks are verified now. */
  advance(plan: FetchPlan, path: string, verified: readonly Run[]): void {
    const [start] = verified;
    if (plan.chunkCount < WORTH_CHUNKS || start?.first !== 0) return;
    const digest = this.running.get(keyOf(plan)) ?? this.begin(plan, path);
    digest.advance(Math.min(start.count * CHUNK_SIZE, plan.size));
  }

  /** SHA-256 of the whole staged file in lower-case hex, all of whose chunks are verified. */
  async finish(plan: FetchPlan, path: string): Promise<string> {
    const digest = this.running.get(keyOf(plan));
    this.running.delete(keyOf(plan));
    return digest ? digest.finish() : this.storage.digest(path);
  }

  private begin(plan: FetchPlan, path: string): RunningDigest {
    const digest = this.storage.beginDigest(path);
    this.running.set(keyOf(plan), digest);
    return digest;
  }
}

/** A replica that was asked for again has another file. */
const keyOf = ({ packageId, round }: FetchPlan): string => `${packageId}/${round}`;
