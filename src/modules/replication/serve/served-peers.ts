import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { ByteBucket } from '../../../kernel/byte-bucket.js';
import { sendsTo, localTime, maySendTo } from '../../../kernel/transfer-policy.js';
import { Refusal } from '../../../kernel/errors.js';
import { currentContext } from '../../../platform/runtime/call-context.js';
import type { Pace } from '../../../platform/http/files/send-ranges.js';
import { PeerDirectory, type PeerContact } from '../../../ports/peer-directory.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';

/** Decides what the calling peer may receive from this server, and how fast. */
@Injectable()
export class ServedPeers implements OnModuleDestroy {
  /** One bucket for each peer. All connections of a peer to this process share it. */
  private readonly buckets = new Map<string, ByteBucket>();
  private readonly stopWatching: () => void;

  constructor(
    private readonly directory: PeerDirectory,
    private readonly identity: ServerIdentity,
  ) {
    this.stopWatching = directory.onChange(() => void this.adjustRates());
  }

  onModuleDestroy(): void {
    this.stopWatching();
  }

  /** The calling peer. Refusal: PEER_NOT_SERVED when it is to receive nothing from this server. */
  async requireCaller(): Promise<PeerContact> {
    const { id, name } = currentContext().actor;
    const peer = await this.directory.find(id);
    if (peer && !peer.suspended && sendsTo(peer.policy)) return peer;
    const cause = `${this.identity.name} sends nothing to ${name}: an administrator of ${this.identity.name} has set it to RECEIVE_ONLY there.`;
    throw new Refusal('PEER_NOT_SERVED', cause);
  }

  /** The rate limit of the calling peer; null for no limit. Refusals: PEER_NOT_SERVED, OUTSIDE_WINDOW. */
  async requirePace(now: Date): Promise<Pace | null> {
    const { peerId, policy } = await this.requireCaller();
    const { opensAt } = maySendTo(policy, now);
    if (opensAt) throw this.outsideWindow(opensAt, now);
    const { bytesPerSecond } = policy.send;
    return bytesPerSecond === null ? null : this.bucketOf(peerId, bytesPerSecond);
  }

  private outsideWindow(opensAt: Date, now: Date): Refusal {
    const message = `${this.identity.name} sends no packages to this server now. It continues at ${localTime(opensAt)} by its own clock.`;
    const retryAfterSeconds = Math.ceil((opensAt.getTime() - now.getTime()) / 1000);
    return new Refusal('OUTSIDE_WINDOW', message, { opensAt: opensAt.toISOString(), retryAfterSeconds });
  }

  private bucketOf(peerId: string, bytesPerSecond: number): ByteBucket {
    const bucket = this.buckets.get(peerId) ?? new ByteBucket(bytesPerSecond);
    bucket.bytesPerSecond = bytesPerSecond;
    this.buckets.set(peerId, bucket);
    return bucket;
  }

  /** Applies changed rates to downloads that are running. */
  private async adjustRates(): Promise<void> {
    for (const [peerId, bucket] of this.buckets) {
      const peer = await this.directory.find(peerId);
      bucket.bytesPerSecond = peer?.policy.send.bytesPerSecond ?? Infinity;
      if (bucket.bytesPerSecond === Infinity) this.buckets.delete(peerId);
    }
  }
}
