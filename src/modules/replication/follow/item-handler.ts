import { Injectable, Logger } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { messageOf, Refusal } from '../../../kernel/errors.js';
import { isStamp } from '../../../kernel/hybrid-clock.js';
import { STAGES, takesStage } from '../../../kernel/stage.js';
import { plainText } from '../../../kernel/text.js';
import { kindOfFailure } from '../../../platform/eventsourcing/failure-kind.js';
import { StreamReader } from '../../../platform/eventsourcing/stream-reader.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import { PeerTransport, PeerUnreachable } from '../../../ports/peer-transport.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { knownPackage } from '../../packages/contracts/known-package.js';
import { isRemoved, knowsMore } from '../../packages/contracts/package-facts.js';
import { LearnPackage } from '../../packages/contracts/package-reports.js';
import type { ChunkPage } from '../../packages/contracts/package.events.js';
import { ReviewReplica } from '../replica/review-replica.command.js';
import { ItemFailures } from './follow-records.js';

const HexDigest = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const Stamp = z.string().refine(isStamp, 'is no stamp');
const Name = z.string().max(200);
const Count = z.number().int().nonnegative();

const Facts = z.object({
  packageId: z.uuid(),
  filename: z.string().max(255),
  size: Count,
  sha1: HexDigest(20),
  sha256: HexDigest(32),
  chunkSize: Count,
  chunkCount: Count,
  stage: z.enum(STAGES),
  stageStamp: Stamp,
  publication: Stamp,
  removal: Stamp.nullable(),
  firstPublishedAt: z.iso.datetime(),
  origin: z.object({ serverId: z.string().max(64), name: Name }),
  uploadedBy: Name,
});

const Page = z.object({ first: Count, count: Count, sha1: z.string().max(20_000), sha256: z.string().max(30_000) });

const LineageSteps = z
  .array(z.object({ serverId: z.string().max(64), name: Name, verifiedAt: z.iso.datetime().nullable() }))
  .max(64);

const Author = z.object({ serverId: z.string().max(64), serverName: Name.nullable(), actor: Name.nullable() });

/** An item of a peer's feed. Fields that a newer version adds are ignored. */
export const PeerItem = z.object({
  facts: Facts,
  /** A server of an earlier version does not send them. */
  authors: z.object({ stage: Author.nullable(), removal: Author.nullable() }).default({ stage: null, removal: null }),
  held: z.object({ verifiedAt: z.iso.datetime(), lineage: LineageSteps.default([]) }).nullable(),
  /** Set while the peer fetches the package, when its verified chunks can be requested. */
  fetching: z.object({ lineage: LineageSteps }).nullable().default(null),
  digests: Page.nullable(),
});
export type PeerItem = z.infer<typeof PeerItem>;

/** The digests of all chunks. `LearnPackage` checks that they are complete. */
const PeerManifest = z.object({ packageId: z.uuid(), pages: z.array(Page) });

/** What names the package of an invalid item. */
const NamedPackage = z.object({ facts: z.object({ packageId: z.uuid() }) });

const POSTPONING_CODES = new Set(['STAMP_AHEAD', 'PEER_UNREACHABLE']);

/** Turns the items of a peer's feed into commands. Handling an item twice changes nothing. */
@Injectable()
export class ItemHandler {
  private readonly logger = new Logger('Subscriber');

  constructor(
    private readonly streams: StreamReader,
    private readonly commands: CommandBus,
    private readonly transport: PeerTransport,
    private readonly identity: ServerIdentity,
    private readonly failures: ItemFailures,
  ) {}

  /**
   * Parses a message. Gives null for an invalid one, which is logged and recorded as unprocessable.
   * @param messageId identifies the message in the feed, if it came with the feed
   */
  async read(peer: PeerContact, data: unknown, messageId: string | null): Promise<PeerItem | null> {
    const item = PeerItem.safeParse(data);
    if (item.success) return item.data;
    const reason = `Invalid message: ${z.prettifyError(item.error)}`;
    this.logger.warn(`Skipping an item from ${peer.name}. ${reason}`);
    const id = NamedPackage.safeParse(data).data?.facts.packageId ?? messageId;
    if (id !== null) await this.failures.note(peer, id, new Error(reason));
    return null;
  }

  /**
   * Gives 'done' when the item is recorded, or when it cannot be used, which is logged and recorded. Gives 'later' when it may be
   * usable another time: once the clocks agree, or once the peer sends a valid manifest.
   * @throws PeerUnreachable, EventStoreUnavailable when another try may succeed
   */
  async handle(peer: PeerContact, item: PeerItem): Promise<'done' | 'later'> {
    try {
      await this.learnItem(peer, item);
      await this.failures.noteUsed(peer, item.facts.packageId);
    } catch (error) {
      if (error instanceof Refusal && POSTPONING_CODES.has(error.code)) {
        this.logger.warn(`${item.facts.filename} from ${peer.name} is postponed: ${error.code}: ${error.message}`);
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
    this.logger.warn(plainText(`What ${peer.name} tells of the package ${packageId} is skipped: ${reason}`));
    await this.failures.note(peer, packageId, error);
  }

  private async learnItem(peer: PeerContact, { facts, held, fetching, digests, authors }: PeerItem): Promise<void> {
    const { packageId } = facts;
    const known = (await this.streams.load(knownPackage, packageId)).facts !== null;
    const copy = held ?? (fetching && { verifiedAt: null, lineage: fetching.lineage });
    // A tombstone counts even before the package is known, since a peer that was away may still offer the package.
    const useful = (copy !== null || isRemoved(facts)) && takesStage(this.identity.stage, facts.stage);
    if (!known && !useful) return;
    const pages = known ? [] : digests ? [digests] : await this.pagesOf(peer, packageId);
    if (!pages) return;
    const learn = new LearnPackage(facts, pages, peer.peerId, withAuthorNames(peer, authors));
    const ours = await this.commands.execute(learn);
    const isOutdated = copy !== null && ours !== null && knowsMore(ours, facts);
    const report = { peerId: peer.peerId, peerName: peer.name, copy, isOutdated };
    await this.commands.execute(new ReviewReplica(packageId, report));
  }

  /** The chunk pages of a package; null when the peer no longer has it, which its feed will tell. */
  private async pagesOf(peer: PeerContact, packageId: string): Promise<readonly ChunkPage[] | null> {
    try {
      const manifest = PeerManifest.safeParse(
        await this.transport.get(peer, `/peer/v1/packages/${packageId}/manifest`),
      );
      if (manifest.success) return manifest.data.pages;
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
