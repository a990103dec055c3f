import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { streamOf } from '../../../kernel/decider.js';
import { EventStore } from '../../../ports/event-store.port.js';
import { packageEvents } from '../../packages/contracts/package.events.js';

const DIGEST_BYTES = 32;
/** Digests of about 1 TB of packages. */
const MAX_KNOWN_BYTES = 32 * 1024 * 1024;

/** SHA-256 of the chunks of packages, remembered for the packages that are being fetched. */
@Injectable()
export class ChunkDigests {
  private readonly known = new LRUCache<string, Buffer>({
    maxSize: MAX_KNOWN_BYTES,
    sizeCalculation: ({ length }) => length,
  });

  constructor(private readonly store: EventStore) {}

  /** Of chunk `first` and the following, 32 bytes each, end to end. */
  async of(packageId: string, chunkCount: number, first: number, count: number): Promise<Buffer> {
    const all = this.known.get(packageId) ?? (await this.readDigests(packageId, chunkCount));
    return all.subarray(first * DIGEST_BYTES, (first + count) * DIGEST_BYTES);
  }

  /** A page that was recorded twice counts as it was recorded last. */
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
