import { Injectable, Logger } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { messageOf, Refusal } from '../../../kernel/errors.js';
import { takesStage } from '../../../kernel/stage.js';
import { plainText } from '../../../kernel/text.js';
import { kindOfFailure } from '../../../platform/failures/failure-kind.js';
import { StreamReader } from '../../../platform/eventsourcing/stream-reader.js';
import { DigestPages, LowerUuid } from '../../../platform/input/parsers.js';
import { OnceLog } from '../../../platform/limits/once-log.js';
import { describeFault, wireSchema } from '../../../platform/input/wire-schema.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import { MAX_SMALL_ANSWER_BYTES, PeerTransport, PeerUnreachable } from '../../../ports/peer-transport.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { knownPackage } from '../../packages/contracts/known-package.js';
import { isRemoved, knowsMore } from '../../packages/contracts/package-facts.js';
import { LearnPackage } from '../../packages/contracts/package-reports.js';
import type { ChunkPage } from '../../packages/contracts/package.events.js';
import { LearnSigners } from '../../peers/contracts/signers.js';
import { ReviewReplica } from '../replica/review-replica.command.js';
import { PeerItem } from './feed-item.js';
import { ItemFailures } from './follow-records.js';
import { RefusedItems } from './refused-items.js';

/** What is read of an invalid item, to say which package it is about. */
const RefusedItem = wireSchema('refused item of a feed', z.object({ facts: z.object({ packageId: LowerUuid }) }));

/** The digests of all chunks. `LearnPackage` checks that they are as many as the package has. */
const PeerManifest = wireSchema('manifest', z.object({ packageId: LowerUuid, pages: DigestPages }));

/** Two digests in base64 take 70 bytes, and each 512 chunks share the frame of a page. */
const MANIFEST_BYTES_PER_CHUNK = 80;

const POSTPONING_CODES = new Set(['STAMP_AHEAD', 'PEER_UNREACHABLE']);

/** Turns the items of a peer's feed into commands. Handling an item twice changes nothing. */
@Injectable()
export class ItemHandler {
  private readonly log = new OnceLog(new Logger('Subscriber'));

  constructor(
    private readonly streams: StreamReader,
    private readonly commands: CommandBus,
    private readonly transport: PeerTransport,
    private readonly identity: ServerIdentity,
    private readonly failures: ItemFailures,
    private readonly refusals: RefusedItems,
  ) {}

  /**
   * Parses a message. Returns null for an invalid one, which is logged once for each package and reason, and recorded as
   * unprocessable when it names its package.
   */
  readItem(peer: PeerContact, data: unknown): PeerItem | null {
    const { data: item, fault } = PeerItem.read(data);
    if (fault === null) return item;
    const packageId = RefusedItem.read(data).data?.facts.packageId;
    const what = packageId === undefined ? 'An item' : `An item about package ${packageId}`;
    const reason = describeFault(fault, 'the item');
    this.log.warn(peer.peerId, `${what} from ${peer.name} is refused: ${reason}`);
    if (packageId !== undefined) void this.recordRefused(peer, packageId, new Error(reason));
    return null;
  }

  /**
   * Gives 'done' when the item is recorded, or when it cannot be used, which is logged and recorded. Gives 'later' when it may be
   * usable another time: once the clocks agree, or once the peer sends a valid manifest.
   * @throws PeerUnreachable, EventStoreUnavailable when another try may succeed
   */
  async handleItem(peer: PeerContact, item: PeerItem): Promise<'done' | 'later'> {
    try {
      await this.learnItem(peer, item);
      await this.failures.noteUsed(peer, item.facts.packageId);
    } catch (error) {
      if (error instanceof Refusal && POSTPONING_CODES.has(error.code)) {
        const what = `${item.facts.filename} from ${peer.name} is postponed`;
        this.log.warn(peer.peerId, `${what}: ${error.code}: ${error.message}`);
        return 'later';
      }
      await this.skip(peer, item.facts.packageId, error);
    }
    return 'done';
  }

  /** Records that what a peer tells of a package cannot be used. @throws the error when another try may succeed */
  async skip(peer: PeerContact, packageId: string, error: unknown): Promise<void> {
    if (kindOfFailure(error) !== 'event') throw error;
    const reason = error instanceof Refusal ? `${error.code}: ${error.message}` : messageOf(error);
    this.log.warn(peer.peerId, plainText(`What ${peer.name} tells of the package ${packageId} is skipped: ${reason}`));
    await this.failures.note(peer, packageId, error);
  }

  /** The parsing of the feed does not wait for the record. If it fails, the next comparison leads to it again. */
  private async recordRefused(peer: PeerContact, packageId: string, error: Error): Promise<void> {
    await this.failures.note(peer, packageId, error).catch(() => undefined);
  }

  private async learnItem(peer: PeerContact, item: PeerItem): Promise<void> {
    const { facts, held, fetching, digests, authors, proofs, introductions } = item;
    const { packageId } = facts;
    const known = (await this.streams.load(knownPackage, packageId)).facts !== null;
    const copy = held ?? (fetching && { verifiedAt: null, lineage: fetching.lineage });
    // A tombstone counts even before the package is known, since a peer that was away may still offer the package.
    const useful = (copy !== null || isRemoved(facts)) && takesStage(this.identity.stage, facts.stage);
    if (!known && !useful) return;
    const pages = known ? [] : digests ? [digests] : await this.pagesOf(peer, facts);
    if (!pages) return;
    if (introductions.length > 0) await this.commands.execute(new LearnSigners(introductions));
    const learn = new LearnPackage(facts, pages, peer, withAuthorNames(peer, authors), proofs);
    const { facts: ours, isAllowed } = await this.commands.execute(learn);
    if (!isAllowed) await this.refusals.note(peer.peerId, item);
    // Nothing of what the peer tells of this package is accepted, so it remains unknown.
    if (ours === null) return;
    const isOutdated = copy !== null && knowsMore(ours, facts);
    const report = { peerId: peer.peerId, peerName: peer.name, copy, isOutdated };
    await this.commands.execute(new ReviewReplica(packageId, report));
  }

  /** The chunk pages of a package; null when the peer no longer has it, which its feed will tell. */
  private async pagesOf(
    peer: PeerContact,
    { packageId, chunkCount }: PeerItem['facts'],
  ): Promise<readonly ChunkPage[] | null> {
    const maxBytes = MAX_SMALL_ANSWER_BYTES + chunkCount * MANIFEST_BYTES_PER_CHUNK;
    try {
      const path = `/peer/v1/packages/${packageId}/manifest`;
      const manifest = PeerManifest.read(await this.transport.get(peer, path, maxBytes));
      if (manifest.fault === null) return manifest.data.pages;
    } catch (error) {
      if (error instanceof PeerUnreachable && error.status === 404) return null;
      throw error;
    }
    throw new Refusal('PEER_UNREACHABLE', 'The peer sent a malformed manifest.');
  }
}

/** Adds the peer's name to its own changes, which it reports without a name. */
function withAuthorNames({ peerId, name }: PeerContact, { stage, removal }: PeerItem['authors']): PeerItem['authors'] {
  const named = (author: PeerItem['authors']['stage']) =>
    author?.serverId === peerId ? { ...author, serverName: name } : author;
  return { stage: named(stage), removal: named(removal) };
}
