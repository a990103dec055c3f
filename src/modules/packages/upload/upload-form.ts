import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { Refusal } from '../../../kernel/errors.js';
import type { Stage } from '../../../kernel/stage.js';
import { parseStage } from './upload-request.js';

export interface FormFile {
  readonly filename: string;
  readonly bytes: Readable;
}

const FORM_LIMITS = { files: 1, fields: 1, parts: 3, fieldSize: 100, headerPairs: 20, headerSize: 8 * 1024 };
const ALLOWED_PARTS = 'The form must have exactly one "file", and may have one "stage".';

const invalidForm = (why: string): Refusal => new Refusal('INVALID_REQUEST', why);

/**
 * A multipart/form-data body (RFC 7578) on its way: its file when that begins, its stage when the whole form has been
 * read, for it may come after the file. Bytes are read no faster than somebody takes them.
 */
export class UploadForm {
  readonly file: Promise<FormFile>;
  /** Null when the form names none. Rejects when anything is wrong with the form. */
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
    // Whoever waits hears of it; at times nobody does.
    this.file.catch(() => undefined);
    this.stage.catch(() => undefined);
    this.listenToParser();
  }

  /** Takes nothing more from the request. */
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
    if (!this.request.complete) this.failUpload(new Refusal('INCOMPLETE_BODY', 'The upload was cut off.'));
  };

  private takeFile(name: string, bytes: Readable, filename: string): void {
    // Told by the parser's own error, too.
    bytes.on('error', () => undefined);
    if (name !== 'file') {
      bytes.resume();
      this.failUpload(invalidForm(ALLOWED_PARTS));
      return;
    }
    this.bytes = bytes;
    // What the parser puts where bytes are no UTF-8.
    if (filename.includes('\uFFFD')) {
      this.failUpload(new Refusal('INVALID_FILENAME', 'The filename must be UTF-8.'));
      return;
    }
    this.fileBegan({ filename, bytes });
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
    ? new Refusal('INCOMPLETE_BODY', 'The form ended before its last boundary.')
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
