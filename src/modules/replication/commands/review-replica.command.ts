import { Command } from '@nestjs/cqrs';
import type { PeerCopy } from '../contracts/lineage.js';

/** A peer says that it holds the package or fetches it; that it has no copy when null. */
export interface PeerReport {
  readonly peerId: string;
  readonly peerName: string;
  readonly copy: PeerCopy | null;
  /** Has it a copy, and does it not know yet what we know of the package? */
  readonly isOutdated: boolean;
}

/**
 * Make this server's copy of a package what it should be now: ask for one, withdraw it, or leave it. To be repeated
 * after anything that may matter; a repeat changes nothing.
 */
export class ReviewReplica extends Command<void> {
  constructor(
    readonly packageId: string,
    readonly report: PeerReport | null = null,
  ) {
    super();
  }
}
