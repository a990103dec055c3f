import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Logger } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler, QueryBus } from '@nestjs/cqrs';
import { type Authority, requirePermission, requireStage } from '../../../kernel/access.js';
import { Refusal } from '../../../kernel/errors.js';
import type { Stamp } from '../../../kernel/hybrid-clock.js';
import { retry } from '../../../kernel/retry.js';
import type { Stage } from '../../../kernel/stage.js';
import { Principals } from '../../../platform/access/access.port.js';
import type { Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { currentAuthority, currentContext } from '../../../platform/runtime/call-context.js';
import { Clock } from '../../../platform/runtime/clock.js';
import { packageIdOf } from '../../../platform/runtime/ids.js';
import { CHUNK_SIZE } from '../../../kernel/chunk-ranges.js';
import {
  type ContentDigests,
  PackageStorage,
  type StagedUpload,
  StorageFull,
} from '../../../ports/package-storage.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { isRemoved, registerStamps } from '../contracts/package-facts.js';
import { FilenameHoldersQuery } from '../contracts/package-queries.js';
import { FactSigner } from '../facts/fact-signer.js';
import { normalizeUploadName } from '../lifecycle/filename.js';
import { toPages } from '../lifecycle/chunk-pages.js';
import { PackageWriter } from '../lifecycle/package-writer.js';
import type { Publication } from '../lifecycle/package.decider.js';
import { requireMayPublish, requireMayTakeFilename } from '../lifecycle/publishing-limits.js';

/** The digests that the sender expects the file to have, in lower-case hex. */
export interface ExpectedDigests {
  readonly sha1?: string;
  readonly sha256?: string;
  readonly sha512?: string;
}

/** The published package, as the answer to the upload shows it. */
export interface UploadedPackage {
  readonly id: string;
  readonly filename: string;
  readonly size: number;
  readonly sha1: string;
  readonly sha256: string;
  readonly stage: Stage;
  readonly receipt: Receipt;
}

interface UploadOptions {
  /**
   * The stage of the package. Null means the stage of this server. In a form it may come after the bytes, so it may be a
   * promise. A rejection of it undoes the upload.
   */
  readonly stage: Stage | null | Promise<Stage | null>;
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

/** Clients rarely send a SHA-512 digest, so it is computed separately from the others. */
async function computeSha512(upload: StagedUpload): Promise<string> {
  const hash = createHash('sha512');
  for await (const bytes of upload.readBytes()) hash.update(bytes);
  return hash.digest('hex');
}

/** Compares the digests of the file with the expected ones. @throws Refusal DIGEST_MISMATCH */
async function verifyDigests(upload: StagedUpload, file: ContentDigests, expected: ExpectedDigests): Promise<void> {
  const actual = {
    sha1: file.sha1,
    sha256: file.sha256,
    sha512: expected.sha512 === undefined ? undefined : await computeSha512(upload),
  };
  for (const algorithm of ['sha256', 'sha512', 'sha1'] as const) {
    const [wanted, got] = [expected[algorithm], actual[algorithm]];
    if (wanted === undefined || wanted === got) continue;
    throw new Refusal(
      'DIGEST_MISMATCH',
      `The ${algorithm} digest of the received file is ${got}, not ${wanted}. Send the file again.`,
      {
        algorithm,
        expected: wanted,
        actual: got ?? '',
      },
    );
  }
}

/** A file without bytes nearly always is a folder, or the output of a program that has failed. @throws Refusal EMPTY_FILE */
function requireBytes(size: number | null, { allowsEmpty }: UploadOptions): void {
  if (size !== 0 || allowsEmpty) return;
  throw new Refusal(
    'EMPTY_FILE',
    'The file has no bytes. It may be a folder, or the program that made it has failed. To publish an empty file, add ?allowEmpty=true.',
  );
}

interface RecordedPublication {
  readonly receipt: Receipt;
  readonly publication: Stamp;
}

/** Removals of the same package that arrive this often during one upload are not an accident. */
const MAX_PUBLICATION_TRIES = 10;

/** Stores all bytes of the body. @throws StorageFull, Refusal INCOMPLETE_BODY */
async function receiveFile(upload: StagedUpload, source: Readable): Promise<ContentDigests> {
  try {
    await upload.append(0, source);
    return await upload.finish();
  } catch (error) {
    if (error instanceof StorageFull || error instanceof Refusal || !source.destroyed) throw error;
    throw new Refusal('INCOMPLETE_BODY', 'The upload ended before all of its bytes had arrived. Send the file again.');
  }
}

const isoSeconds = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;

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
    if (!(options.stage instanceof Promise)) requireStage(currentAuthority(), options.stage ?? this.identity.stage);
    requireBytes(options.announcedSize, options);
    // Errors of the source are handled where it is read. An error after a refusal must not end the process.
    source.on('error', () => undefined);
    const stageNow = options.stage instanceof Promise ? null : (options.stage ?? this.identity.stage);
    await this.requireMayTakeFilename(currentAuthority(), name, stageNow);
    const upload = await this.storage.beginUpload(options.announcedSize ?? undefined);
    try {
      const file = await receiveFile(upload, source);
      requireBytes(file.size, options);
      await verifyDigests(upload, file, options.expected);
      const stage = (await options.stage) ?? this.identity.stage;
      const id = packageIdOf(name, file.sha256);
      await this.requireStillAllowed(id, name, stage);
      await upload.publish(id);
      const { receipt, publication } = await this.recordWithFreshStamp(id, name, file, stage);
      await this.requireStored(id, publication);
      this.logger.log(`${name} is published in ${stage}: ${file.size} bytes, ${id}`);
      return { id, filename: name, size: file.size, sha1: file.sha1, sha256: file.sha256, stage, receipt };
    } catch (error) {
      await upload.discard();
      throw error;
    }
  }

  /**
   * Checks the permissions again after the bytes have arrived. A session that expired during the upload still counts. A
   * session or token that was revoked does not.
   */
  private async requireStillAllowed(packageId: string, filename: string, stage: Stage): Promise<void> {
    const { principal } = currentContext();
    const authority = principal && (await this.principals.authorityNow(principal));
    if (principal && !authority) {
      throw new Refusal(
        'UNAUTHENTICATED',
        'The session or token was revoked, or the account was disabled, during the upload.',
      );
    }
    if (authority) requirePermission(authority, 'upload');
    const { facts } = await this.packages.loadPackage(packageId);
    requireMayPublish(authority, facts, stage, this.identity.serverId);
    await this.requireMayTakeFilename(authority, filename, stage);
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
  private async recordWithFreshStamp(
    packageId: string,
    filename: string,
    file: ContentDigests,
    stage: Stage,
  ): Promise<RecordedPublication> {
    return retry(() => this.recordPublication(packageId, filename, file, stage), {
      while: (error, attempt) =>
        error instanceof Refusal && error.code === 'UNAVAILABLE' && attempt < MAX_PUBLICATION_TRIES,
    });
  }

  /**
   * A publication always gets a new stamp, so it also undoes a removal that happened during the upload. It follows the
   * other packages with the filename, as far as the list of packages shows them: those are what it replaces.
   */
  private async recordPublication(
    packageId: string,
    filename: string,
    file: ContentDigests,
    stage: Stage,
  ): Promise<RecordedPublication> {
    const { facts, vouched } = await this.packages.loadPackage(packageId);
    const holders = await this.queries.execute(new FilenameHoldersQuery(filename));
    const stageStamp = this.clock.hybrid.nextStamp(registerStamps(facts));
    const publication: Publication = {
      packageId,
      filename,
      size: file.size,
      sha1: file.sha1,
      sha256: file.sha256,
      stage,
      chunkSize: CHUNK_SIZE,
      chunkCount: Math.ceil(file.size / CHUNK_SIZE),
      stageStamp,
      publication: this.clock.hybrid.nextStamp([stageStamp, ...holders.map((holder) => holder.publication)]),
      firstPublishedAt: isoSeconds(this.clock.now()),
      origin: { serverId: this.identity.serverId, name: this.identity.name },
      uploadedBy: currentAuthority()?.username ?? currentContext().actor.name,
    };
    const proof = this.signer.signPublication(publication);
    const pages = vouched ? [] : toPages(file.chunks);
    const { receipt } = await this.packages.runWithPages(packageId, pages, (pages) => ({
      type: 'publish',
      publication,
      pages,
      proof,
    }));
    return { receipt, publication: publication.publication };
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
