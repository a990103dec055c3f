import type { Readable } from 'node:stream';
import { Logger } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { requirePermission, requireStage } from '../../../../kernel/authority.js';
import type { Stamp } from '../../../../kernel/hybrid-clock.js';
import { Refusal } from '../../../../kernel/refusal.js';
import type { Stage } from '../../../../kernel/stage.js';
import { Clock } from '../../../../platform/clock/clock.js';
import { currentAuthority, currentContext } from '../../../../platform/context/call-context.js';
import type { Receipt } from '../../../../platform/cqrs/command-runner.js';
import { packageIdOf } from '../../../../platform/ids/ids.js';
import { CHUNK_SIZE, PackageStorage, StorageFull, type StagedFile } from '../../../../ports/package-storage.port.js';
import { Principals } from '../../../../ports/principals.port.js';
import { ServerIdentity } from '../../../../ports/server-identity.port.js';
import { isRemoved } from '../../contracts/package-facts.js';
import { normalizeFilename } from '../../domain/filename.js';
import type { Publication } from '../../domain/package.decider.js';
import { PackageWriter } from '../package-writer.js';
import { requireMayPublish } from '../publishing-limits.js';
import { pagesOf } from '../page-batches.js';
import { UploadPackage, type UploadedPackage, type UploadOptions } from './upload-package.command.js';
import { verifyDigests } from './verify-digests.js';

interface RecordedPublication {
  readonly receipt: Receipt;
  readonly publication: Stamp;
}

/** Removals and uploads of one package that follow each other this quickly are no accident. */
const MAX_PUBLICATION_TRIES = 10;

const isoSeconds = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;

/** Bytes first, then the event: what is in the log is on the disk. */
@CommandHandler(UploadPackage)
export class UploadPackageHandler implements ICommandHandler<UploadPackage> {
  private readonly logger = new Logger('Upload');

  constructor(
    private readonly storage: PackageStorage,
    private readonly packages: PackageWriter,
    private readonly identity: ServerIdentity,
    private readonly clock: Clock,
    private readonly principals: Principals,
  ) {}

  async execute({ filename, source, options }: UploadPackage): Promise<UploadedPackage> {
    const name = normalizeFilename(filename);
    if (!(options.stage instanceof Promise)) requireStage(currentAuthority(), options.stage ?? this.identity.stage);
    const file = await this.receiveFile(source, options);
    try {
      await verifyDigests(file, options.expected);
      const stage = (await options.stage) ?? this.identity.stage;
      const id = packageIdOf(name, file.sha256);
      await this.requireStillAllowed(id, stage);
      await this.storage.publish(file.path, id);
      const { receipt, publication } = await this.recordWithFreshStamp(id, name, file, stage);
      await this.requireStored(id, publication);
      this.logger.log(`${name} is published in ${stage}: ${file.size} bytes, ${id}`);
      return { id, filename: name, size: file.size, sha1: file.sha1, sha256: file.sha256, stage, receipt };
    } catch (error) {
      await this.storage.discard(file.path);
      throw error;
    }
  }

  /**
   * Whoever was signed in when the upload began may finish it, also when the session has expired by now; but not who was
   * thrown out meanwhile.
   */
  private async requireStillAllowed(packageId: string, stage: Stage): Promise<void> {
    const { principal } = currentContext();
    const authority = principal && (await this.principals.authorityNow(principal));
    if (principal && !authority) {
      throw new Refusal(
        'UNAUTHENTICATED',
        'The session or token was revoked, or the account disabled, while the file was on its way.',
      );
    }
    if (authority) requirePermission(authority, 'upload');
    const { facts } = await this.packages.loadPackage(packageId);
    requireMayPublish(authority, facts, stage, this.identity.serverId);
  }

  private async receiveFile(source: Readable, options: UploadOptions): Promise<StagedFile> {
    try {
      return await this.storage.receive(source, { expectedSize: options.announcedSize ?? undefined });
    } catch (error) {
      if (error instanceof StorageFull || error instanceof Refusal || !source.destroyed) throw error;
      throw new Refusal(
        'INCOMPLETE_BODY',
        'The upload ended before all of its bytes had arrived. Send the file again.',
      );
    }
  }

  /** A removal that is recorded between the stamp and the publication makes it take another stamp. */
  private async recordWithFreshStamp(
    packageId: string,
    filename: string,
    file: StagedFile,
    stage: Stage,
  ): Promise<RecordedPublication> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.recordPublication(packageId, filename, file, stage);
      } catch (error) {
        if (!(error instanceof Refusal && error.code === 'UNAVAILABLE') || tries >= MAX_PUBLICATION_TRIES) throw error;
      }
    }
  }

  /** A publication always gets a new stamp: it also undoes a removal that came while the bytes were on their way. */
  private async recordPublication(
    packageId: string,
    filename: string,
    file: StagedFile,
    stage: Stage,
  ): Promise<RecordedPublication> {
    const { vouched } = await this.packages.loadPackage(packageId);
    const publication: Publication = {
      packageId,
      filename,
      size: file.size,
      sha1: file.sha1,
      sha256: file.sha256,
      stage,
      chunkSize: CHUNK_SIZE,
      chunkCount: Math.ceil(file.size / CHUNK_SIZE),
      stageStamp: this.clock.hybrid.now(),
      publication: this.clock.hybrid.now(),
      firstPublishedAt: isoSeconds(this.clock.now()),
      origin: { serverId: this.identity.serverId, name: this.identity.name },
      uploadedBy: currentAuthority()?.username ?? currentContext().actor.name,
    };
    const pages = vouched ? [] : pagesOf(file.chunks);
    const { receipt } = await this.packages.runWithPages(packageId, pages, (pages) => ({
      type: 'publish',
      publication,
      pages,
    }));
    return { receipt, publication: publication.publication };
  }

  /** The removal of an earlier publication may have taken the file away between its publication and the event. */
  private async requireStored(packageId: string, publication: Stamp): Promise<void> {
    const stored = await this.storage.open(packageId);
    if (stored) return stored.close();
    // The log says by now that the bytes are here.
    const { facts } = await this.packages.loadPackage(packageId);
    const isOurs = facts !== null && facts.publication === publication && !isRemoved(facts);
    if (isOurs) await this.packages.runCommand(packageId, { type: 'remove', stamp: this.clock.hybrid.now() });
    throw new Refusal('UNAVAILABLE', 'The package was removed at the same time. Send the file again.');
  }
}
