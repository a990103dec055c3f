import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { Refusal } from '../../../kernel/errors.js';
import type { Stage } from '../../../kernel/stage.js';
import { decodeFormFilename } from './form-filename.js';
import { parseStage } from './upload-request.js';

/** The file in a form: its name and the stream of its bytes. */
interface FormFile {
  readonly filename: string;
  readonly bytes: Readable;
  /** The stage that the form names before the file; null when there is none before it. */
  readonly stageBefore: Stage | null;
}

const FORM_LIMITS = { files: 1, fields: 1, parts: 3, fieldSize: 100, headerPairs: 20, headerSize: 8 * 1024 };
const ALLOWED_PARTS = 'The form must have exactly one part "file" and may have one part "stage".';

const invalidForm = (why: string): Refusal => new Refusal('INVALID_REQUEST', why);

/**
 * Reads a multipart/form-data body (RFC 7578) while it arrives. `file` resolves when the file begins. `stage` resolves
 * when the whole form has been read, because the stage may come after the file. Bytes are read no faster than the
 * consumer of the file takes them.
 */
export class UploadForm {
  readonly file: Promise<FormFile>;
  /** Null when the form names no stage. Rejects when anything is wrong with the form. */
  readonly stage: Promise<Stage | null>;
  private readonly parser: BusboyInstance;
  private fileBegan: (file: FormFile) => void = () => undefined;
  private noFile: (why: unknown) => void = () => undefined;
  private formRead: (stage: Stage | null) => void = () => undefined;
  private formBroken: (why: unknown) => void = () => undefined;
  private bytes: Readable | null = null;
  private namedStage: Stage | null = null;

  /** @throws Refusal UNSUPPORTED_MEDIA_TYPE, INVALID_REQUEST */
  constructor(private readonly request: IncomingMessage) {
    this.parser = createParser(request);
    this.file = new Promise((resolve, reject) => {
      this.fileBegan = resolve;
      this.noFile = reject;
    });
    this.stage = new Promise((resolve, reject) => {
      this.formRead = resolve;
      this.formBroken = reject;
    });
    // Avoids an unhandled rejection when no caller awaits these promises.
    this.file.catch(() => undefined);
    this.stage.catch(() => undefined);
    this.listenToParser();
  }

  /** Stops reading from the request. */
  stopReading(): void {
    this.request.unpipe(this.parser);
    this.request.off('close', this.failWhenCutOff);
  }

  private listenToParser(): void {
    const { parser, request } = this;
    parser.on('file', (name, bytes, filename) => this.takeFile(name, bytes, filename));
    parser.on('field', (name, value) => this.takeField(name, value));
    for (const limit of ['filesLimit', 'fieldsLimit', 'partsLimit'] as const)
      parser.on(limit, () => this.failUpload(invalidForm(ALLOWED_PARTS)));
    parser.on('error', (error) => this.failUpload(refusalOfParserError(error)));
    parser.on('finish', () => {
      if (!this.bytes) this.failUpload(invalidForm(ALLOWED_PARTS));
      else this.formRead(this.namedStage);
    });
    request.on('close', this.failWhenCutOff);
    request.pipe(parser);
  }

  private readonly failWhenCutOff = (): void => {
    if (!this.request.complete)
      this.failUpload(
        new Refusal('INCOMPLETE_BODY', 'The connection ended before the upload was complete. Send the file again.'),
      );
  };

  private takeFile(name: string, bytes: Readable, filename: string): void {
    // The parser reports the same error itself.
    bytes.on('error', () => undefined);
    if (name !== 'file') {
      bytes.resume();
      this.failUpload(invalidForm(ALLOWED_PARTS));
      return;
    }
    this.bytes = bytes;
    // The parser replaces bytes that are not UTF-8 by this character.
    if (filename.includes('\uFFFD')) {
      this.failUpload(new Refusal('INVALID_FILENAME', 'The filename must be UTF-8.'));
      return;
    }
    try {
      this.fileBegan({ filename: decodeFormFilename(filename), bytes, stageBefore: this.namedStage });
    } catch (error) {
      this.failUpload(error);
    }
  }

  private takeField(name: string, value: string): void {
    if (name !== 'stage') return this.failUpload(invalidForm(ALLOWED_PARTS));
    try {
      this.namedStage = parseStage(value);
    } catch (error) {
      this.failUpload(error);
    }
  }

  private failUpload(why: unknown): void {
    this.noFile(why);
    this.formBroken(why);
    this.bytes?.destroy(why instanceof Error ? why : undefined);
  }
}

const refusalOfParserError = (error: unknown): Refusal =>
  /unexpected end/i.test(String(error))
    ? new Refusal('INCOMPLETE_BODY', 'The form ended before its last boundary. Send the file again.')
    : invalidForm('The form is malformed.');

function createParser({ headers }: IncomingMessage): BusboyInstance {
  const type = headers['content-type'];
  if (type === undefined || !/^multipart\/form-data\b/i.test(type)) {
    throw new Refusal('UNSUPPORTED_MEDIA_TYPE', 'Send a form as multipart/form-data, or the bare file with PUT.');
  }
  try {
    const options = { limits: FORM_LIMITS, preservePath: true, fileHwm: 256 * 1024 };
    return new Busboy({ ...options, headers: { ...headers, 'content-type': type } });
  } catch {
    throw invalidForm('The form has no boundary.');
  }
}
