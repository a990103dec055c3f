import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import { streamOf } from '../../../kernel/decider.js';
import { Refusal } from '../../../kernel/errors.js';
import { StreamReader } from '../../../platform/eventsourcing/stream-reader.js';
import { Representation } from '../../../platform/http/files/representation.js';
import { serveFile } from '../../../platform/http/files/serve-file.js';
import { LowerUuid } from '../../../platform/input/parsers.js';
import { wireSchema } from '../../../platform/input/wire-schema.js';
import { PeerCall } from '../../../platform/peer-calls/peer-call.guard.js';
import { EventStore } from '../../../ports/event-store.port.js';
import { JobQueue } from '../../../ports/job-queue.port.js';
import { PackageStorage } from '../../../ports/package-storage.port.js';
import { knownPackage } from '../../packages/contracts/known-package.js';
import { ServedPeers } from './served-peers.js';
import { packageEvents, type ChunkPage } from '../../packages/contracts/package.events.js';
import { verifyPackageJob } from '../contracts/replica-jobs.js';
import type { ChunkRange } from '../../../kernel/chunk-ranges.js';
import type { AbsenceReason } from '../read-model/why-not.js';
import { WhyNotHereQuery } from '../read-model/why-not.query.js';
import { StagedContent } from './staged-content.js';

/** The digests of all chunks of a package, in order. */
interface Manifest {
  readonly packageId: string;
  readonly pages: readonly ChunkPage[];
}

/** The chunks of a package that can be requested now. */
interface Availability {
  readonly packageId: string;
  /** Sorted and disjoint ranges. */
  readonly verified: readonly ChunkRange[];
}

const PackageId = wireSchema('id of a package in a path', LowerUuid);

const notFound = (): Refusal => new Refusal('PACKAGE_NOT_FOUND', 'This server does not hold that package.');

/** Serves the manifest and the bytes that peers need for a copy of a package. */
@Controller('peer/v1/packages/:packageId')
export class PackageContentController {
  /** By package id. The content of a package never changes. */
  private readonly representations = new LRUCache<string, Representation>({ max: 1_000 });

  constructor(
    private readonly store: EventStore,
    private readonly streams: StreamReader,
    private readonly storage: PackageStorage,
    private readonly peers: ServedPeers,
    private readonly queue: JobQueue,
    private readonly staged: StagedContent,
    private readonly queries: QueryBus,
  ) {}

  /** The digests of all chunks. Refusals: PACKAGE_NOT_FOUND, PEER_NOT_SERVED. */
  @Get('manifest')
  @PeerCall()
  async manifest(@Param('packageId') packageId: string): Promise<Manifest> {
    await this.peers.requireCaller();
    const pages = new Map<number, ChunkPage>();
    for await (const record of this.store.readStream(streamOf('package', requireValidId(packageId)))) {
      const event = packageEvents.read(record);
      if (event?.type !== 'PackageChunksHashed') continue;
      const { first, count, sha1, sha256 } = event.data;
      pages.set(first, { first, count, sha1, sha256 });
    }
    if (pages.size === 0 && !(await this.streams.load(knownPackage, packageId)).facts) throw notFound();
    return { packageId, pages: [...pages.values()].sort((a, b) => a.first - b.first) };
  }

  /** The chunks that can be requested now; this server may still be fetching the package. Refusals: PACKAGE_NOT_FOUND, PEER_NOT_SERVED. */
  @Get('chunks')
  @PeerCall()
  async chunks(@Param('packageId') packageId: string): Promise<Availability> {
    await this.peers.requireCaller();
    const { facts, uploadedAt } = await this.streams.load(knownPackage, requireValidId(packageId));
    const verified =
      facts && uploadedAt ? [{ first: 0, count: facts.chunkCount }] : await this.staged.findVerified(packageId);
    if (!verified) throw notFound();
    return { packageId, verified };
  }

  /** Why this server does not have the package, or that it has it. Refusals: PACKAGE_NOT_FOUND, PEER_NOT_SERVED. */
  @Get('why-not')
  @PeerCall()
  async whyNot(@Param('packageId') packageId: string): Promise<{ readonly reasons: readonly AbsenceReason[] }> {
    const { peerId } = await this.peers.requireCaller();
    return { reasons: await this.queries.execute(new WhyNotHereQuery(requireValidId(packageId), peerId)) };
  }

  /**
   * Sends the bytes, usually a range of them. While this server fetches the package, it sends one range, each chunk as soon
   * as it is verified. `ODST-Bytes-Per-Second` is the rate of all answers to the peer together, so that the peer can wait
   * long enough.
   * Refusals: PACKAGE_NOT_FOUND, PEER_NOT_SERVED, OUTSIDE_WINDOW, CHUNKS_PENDING.
   */
  @Get('content')
  @PeerCall()
  async content(
    @Param('packageId') packageId: string,
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const pace = await this.peers.requirePace(new Date());
    if (pace) response.setHeader('ODST-Bytes-Per-Second', pace.bytesPerSecond);
    const representation = await this.representationOf(requireValidId(packageId));
    const file = { representation, open: () => this.storage.openStored(packageId), pace };
    if (await serveFile(request, response, file)) return;
    if (await this.staged.sendRange(request, response, packageId, { representation, pace })) return;
    // The package was published in the meantime.
    if (await serveFile(request, response, file)) return;
    // The job has no effect unless the file should be there.
    await this.queue.enqueue([verifyPackageJob(packageId)]).catch(() => undefined);
    throw notFound();
  }

  private async representationOf(packageId: string): Promise<Representation> {
    const known = this.representations.get(packageId);
    if (known) return known;
    const { facts } = await this.streams.load(knownPackage, packageId);
    if (!facts) throw notFound();
    const { size, sha256, firstPublishedAt } = facts;
    const made = new Representation(size, sha256, new Date(firstPublishedAt), 'application/octet-stream');
    this.representations.set(packageId, made);
    return made;
  }
}

function requireValidId(packageId: string): string {
  if (PackageId.read(packageId).fault !== null) throw notFound();
  return packageId;
}
