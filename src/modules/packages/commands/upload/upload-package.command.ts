import type { Readable } from 'node:stream';
import { Command } from '@nestjs/cqrs';
import type { Stage } from '../../../../kernel/stage.js';
import type { Receipt } from '../../../../platform/cqrs/command-runner.js';

/** Digests that the sender says the file has, in lower-case hex. */
export interface ExpectedDigests {
  readonly sha1?: string;
  readonly sha256?: string;
  readonly sha512?: string;
}

export interface UploadedPackage {
  readonly id: string;
  readonly filename: string;
  readonly size: number;
  readonly sha1: string;
  readonly sha256: string;
  readonly stage: Stage;
  readonly receipt: Receipt;
}

export interface UploadOptions {
  /** May come after the bytes, as in a form; a rejection undoes the upload. Null: the stage of this server. */
  readonly stage: Stage | null | Promise<Stage | null>;
  readonly expected: ExpectedDigests;
  /** Bytes announced by the sender, null when it did not say. */
  readonly announcedSize: number | null;
}

/**
 * Publish the bytes of a stream under a filename. Nothing is read from the stream before the filename has been checked.
 * The package is durable when the command returns. Refusals: INVALID_FILENAME, INCOMPLETE_BODY, DIGEST_MISMATCH;
 * StorageFull.
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
