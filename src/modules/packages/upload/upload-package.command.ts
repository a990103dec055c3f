import type { Readable } from 'node:stream';
import { Logger } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler, QueryBus } from '@nestjs/cqrs';
import { type Authority, requirePermission, requireStage } from '../../../kernel/access.js';
import { Refusal } from '../../../kernel/errors.js';
import type { Stamp } from '../../../kernel/hybrid-clock.js';
import { retry } from '../../../kernel/retry.js';
import { isUpTo, type Stage } from '../../../kernel/stage.js';
import { Principals } from '../../../platform/access/access.port.js';
import type { Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { currentAuthority, currentContext } from '../../../platform/runtime/call-context.js';
import { Clock } from '../../../platform/runtime/clock.js';
import { packageIdOf } from '../../../platform/runtime/ids.js';
import { CHUNK_SIZE } from '../../../kernel/chunk-ranges.js';
import { type ContentDigests, PackageStorage } from '../../../ports/package-storage.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { isoSeconds, isRemoved, type PackageFacts, registerStamps } from '../contracts/package-facts.js';
import { stampToFollow } from '../contracts/filename-date.js';
import { FilenameHoldersQuery, NamesakesQuery, PublishedFileQuery } from '../contracts/package-queries.js';
import { FactSigner } from '../facts/fact-signer.js';
import { normalizeUploadName } from '../lifecycle/filename.js';
import { toPages } from '../lifecycle/chunk-pages.js';
import { PackageWriter } from '../lifecycle/package-writer.js';
import type { Publication } from '../lifecycle/package.decider.js';
import { requireMayPublish, requireMayTakeFilename } from '../lifecycle/publishing-limits.js';
import { type ExpectedDigests, receiveFile, requireBytes, verifyDigests } from './receive-file.js';

/** The published package, as the answer to the upload shows it. */
export interface UploadedPackage {
  readonly id: string;
  readonly filename: string;
  readonly size: number;
  readonly sha1: string;
  readonly sha256: string;
  readonly stage: Stage;
  /** False when the package was there before. */
  readonly created: boolean;
  /** Null when nothing was recorded. */
  readonly receipt: Receipt | null;
}

interface UploadOptions {
  /**
   * The stage of the package. Null means the stage of this server. In a form it may come after the bytes, so it may be a
   * promise. A rejection of it undoes the upload. The stage of a package that is there already is only raised, unless
   * `demotes` is true.
   */
  readonly stage: Stage | null | Promise<Stage | null>;
  /** The stage as far as it is known before the bytes, when `stage` is a promise. Null means the stage of this server. */
  readonly stageBefore?: Stage | null;
  /** The upload may lower the stage of a package that is there already. */
  readonly demotes?: boolean;
  readonly expected: ExpectedDigests;
  /** The size in bytes that the sender announced, or null when it announced none. */
  readonly announcedSize: number | null;
  /** True when the sender says that the file may be empty. */
  readonly allowsEmpty?: boolean;
}

/**
 * Publishes the bytes of a stream under a filename. The filename is checked before anything is read from the stream. The
 * package is durable when the command returns.
 * @throws Refusal INVALID_FILENAME, EMPTY_FILE, FORBIDDEN, INCOMPLETE_BODY, DIGEST_MISMATCH, UNAUTHENTICATED, UNAVAILABLE; StorageFull
 */
export class UploadPackage extends Command<UploadedPackage> {
  constructor(
    readonly filename: string,
    readonly source: Readable,
    readonly options: UploadOptions,
  ) {
    super();
  }
}

interface RecordedPublication {
  readonly receipt: Receipt;
  readonly publication: Stamp;
  readonly stage: Stage;
  readonly created: boolean;
}

/** The package as an upload wants it, once its bytes have arrived. */
interface WantedPackage {
  readonly id: string;
  readonly name: string;
  readonly file: ContentDigests;
  readonly stage: Stage;
  readonly mayLower: boolean;
}

/** True when an upload raises the stage of a package, or may lower it and does. */
const changesStage = ({ stage }: PackageFacts, wanted: WantedPackage): boolean =>
  stage !== wanted.stage && (wanted.mayLower || isUpTo(wanted.stage, stage));

const answerOf = ({ packageId, filename, size, sha1, sha256, stage }: PackageFacts) => ({
  id: packageId,
  filename,
  size,
  sha1,
  sha256,
  stage,
});

/** Removals of the same package that arrive this often during one upload are not an accident. */
const MAX_PUBLICATION_TRIES = 10;

/** Stores the bytes first and records the event then, so that every package in the log is on the disk. */
@CommandHandler(UploadPackage)
export class UploadPackageHandler implements ICommandHandler<UploadPackage> {
  private readonly logger = new Logger('Upload');

  constructor(
    private readonly storage: PackageStorage,
    private readonly packages: PackageWriter,
    private readonly queries: QueryBus,
    private readonly identity: ServerIdentity,
    private readonly clock: Clock,
    private readonly principals: Principals,
    private readonly signer: FactSigner,
  ) {}

  async execute({ filename, source, options }: UploadPackage): Promise<UploadedPackage> {
    const name = normalizeUploadName(filename);
    const { stage: given, stageBefore = null } = options;
    const mayFollow = given instanceof Promise;
    // A stage after the file could still be lower. But the bytes of what will most likely be refused must not be sent first.
    const stageNow = mayFollow ? stageBefore : (given ?? this.identity.stage);
    requireStage(currentAuthority(), stageNow ?? this.identity.stage);
    requireBytes(options.announcedSize, options);
    // Errors of the source are handled where it is read. An error after a refusal must not end the process.
    source.on('error', () => undefined);
    await this.requireMayTakeFilename(currentAuthority(), name, stageNow);
    const upload = await this.storage.beginUpload(options.announcedSize ?? undefined);
    try {
      const file = await receiveFile(upload, source);
      requireBytes(file.size, options);
      await verifyDigests(upload, file, options.expected);
      const stage = (await options.stage) ?? this.identity.stage;
      const id = packageIdOf(name, file.sha256);
      const wanted = { id, name, file, stage, mayLower: options.demotes === true };
      const same = await this.findUnchanged(wanted);
      if (same) {
        await upload.discard();
        this.logger.log(`${name} was sent again and is unchanged in ${same.stage}: ${id}`);
        return { ...answerOf(same), created: false, receipt: null };
      }
      await this.requireStillAllowed(wanted);
      await upload.publish(id);
      const recorded = await this.recordWithFreshStamp(wanted);
      await this.requireStored(id, recorded.publication);
      this.logger.log(`${name} is published in ${recorded.stage}: ${file.size} bytes, ${id}`);
      const { created, receipt } = recorded;
      return {
        id,
        filename: name,
        size: file.size,
        sha1: file.sha1,
        sha256: file.sha256,
        stage: recorded.stage,
        created,
        receipt,
      };
    } catch (error) {
      await upload.discard();
      throw error;
    }
  }

  /** The package, when this server serves it already and the upload would not change its stage. */
  private async findUnchanged(wanted: WantedPackage): Promise<PackageFacts | null> {
    const { facts } = await this.packages.loadPackage(wanted.id);
    if (!facts || isRemoved(facts) || changesStage(facts, wanted)) return null;
    const served = await this.queries.execute(new PublishedFileQuery({ filename: wanted.name }));
    if (served === null || served.damaged || served.packageId !== wanted.id) return null;
    const stored = await this.storage.openStored(wanted.id);
    await stored?.close();
    if (stored?.size !== wanted.file.size) return null;
    await this.currentRights();
    return facts;
  }

  /**
   * Checks the permissions again after the bytes have arrived. A session that expired during the upload still counts. A
   * session or token that was revoked does not.
   */
  private async currentRights(): Promise<Authority | null> {
    const { principal } = currentContext();
    const authority = principal && (await this.principals.authorityNow(principal));
    if (principal && !authority) {
      throw new Refusal(
        'UNAUTHENTICATED',
        'The session or token was revoked, or the account was disabled, during the upload.',
      );
    }
    if (authority) requirePermission(authority, 'upload');
    return authority;
  }

  private async requireStillAllowed({ id, name, stage, mayLower }: WantedPackage): Promise<void> {
    const authority = await this.currentRights();
    const { facts } = await this.packages.loadPackage(id);
    requireMayPublish(authority, facts, stage, this.identity.serverId);
    const lowers = mayLower && facts !== null && !isRemoved(facts) && !isUpTo(stage, facts.stage);
    if (authority && lowers) requirePermission(authority, 'promote');
    await this.requireMayTakeFilename(authority, name, stage);
  }

  private async requireMayTakeFilename(
    authority: Authority | null,
    filename: string,
    stage: Stage | null,
  ): Promise<void> {
    const holders = await this.queries.execute(new FilenameHoldersQuery(filename));
    requireMayTakeFilename(authority, holders, stage, this.identity.serverId);
  }

  /** Records the publication. When a removal is recorded at the same time, it takes a new stamp and tries again. */
  private async recordWithFreshStamp(wanted: WantedPackage): Promise<RecordedPublication> {
    return retry(() => this.recordPublication(wanted), {
      while: (error, attempt) =>
        error instanceof Refusal && error.code === 'UNAVAILABLE' && attempt < MAX_PUBLICATION_TRIES,
    });
  }

  /**
   * A publication always gets a new stamp, so it also undoes a removal that happened during the upload. It follows the
   * other packages with the filename, as far as the list of packages shows them: those are what it replaces. A package
   * that is there already keeps its stage and the stamp of it. A change of its stage is an event of its own.
   */
  private async recordPublication(wanted: WantedPackage): Promise<RecordedPublication> {
    const { id: packageId, name: filename, file, stage, mayLower } = wanted;
    const { vouched, facts } = await this.packages.loadPackage(packageId);
    const present = facts !== null && !isRemoved(facts) ? facts : null;
    const holders = await this.queries.execute(new FilenameHoldersQuery(filename));
    const namesakes = await this.queries.execute(new NamesakesQuery(filename));
    const follows = stampToFollow(packageId, namesakes, this.clock.now());
    const newStageStamp = this.clock.hybrid.nextStamp([...registerStamps(facts), follows]);
    const publication: Publication = {
      packageId,
      filename,
      size: file.size,
      sha1: file.sha1,
      sha256: file.sha256,
      stage: present?.stage ?? stage,
      chunkSize: CHUNK_SIZE,
      chunkCount: Math.ceil(file.size / CHUNK_SIZE),
      stageStamp: present?.stageStamp ?? newStageStamp,
      publication: this.clock.hybrid.nextStamp([newStageStamp, ...holders.map((holder) => holder.publication)]),
      firstPublishedAt: isoSeconds(this.clock.now()),
      origin: { serverId: this.identity.serverId, name: this.identity.name },
      uploadedBy: currentAuthority()?.username ?? currentContext().actor.name,
    };
    const proof = this.signer.signPublication(publication, present === null);
    const pages = vouched ? [] : toPages(file.chunks);
    const change = { stage, stamp: newStageStamp, mayLower };
    const stageChange = present && {
      stageChange: { ...change, proof: this.signer.signStage(publication, stage, newStageStamp) },
    };
    const { receipt, state } = await this.packages.runWithPages(packageId, pages, (pages) => ({
      type: 'publish',
      publication,
      pages,
      proof,
      ...stageChange,
    }));
    const recordedStage = state.facts?.stage ?? stage;
    return { receipt, publication: publication.publication, stage: recordedStage, created: present === null };
  }

  /** The removal of an earlier publication may have deleted the file before the event was recorded. @throws Refusal UNAVAILABLE */
  private async requireStored(packageId: string, publication: Stamp): Promise<void> {
    const stored = await this.storage.openStored(packageId);
    if (stored) return stored.close();
    // The log already says that the bytes are here, so the publication must be undone.
    const { facts } = await this.packages.loadPackage(packageId);
    const isOurs = facts !== null && facts.publication === publication && !isRemoved(facts);
    if (isOurs) {
      const stamp = this.clock.hybrid.nextStamp(registerStamps(facts));
      await this.packages.runCommand(packageId, {
        type: 'remove',
        stamp,
        proof: this.signer.signRemoval(facts, stamp),
      });
    }
    throw new Refusal('UNAVAILABLE', 'The package was removed at the same time. Send the file again.');
  }
}
