import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Dicer } from '@fastify/busboy';
import { Refusal } from '../../../kernel/errors.js';
import type { Stage } from '../../../kernel/stage.js';
import { filenameOfPart, type HeaderParameters, parseParameters } from './form-filename.js';
import { parseStage } from './upload-request.js';

/** The file in a form: its name and the stream of its bytes. */
interface FormFile {
  readonly filename: string;
  readonly bytes: Readable;
  /** The stage that the form names before the file; null when there is none before it. */
  readonly stageBefore: Stage | null;
}

const PART_LIMITS = { maxHeaderPairs: 20, maxHeaderSize: 8 * 1024, partHwm: 256 * 1024 };
const MAX_FIELD_BYTES = 100;
const ALLOWED_PARTS = 'The form must have exactly one part "file" and may have one part "stage".';
/** Encodings of RFC 2045 that leave the bytes as they are. */
const PLAIN_ENCODING = /^(?:7bit|8bit|binary)$/i;

/** The only header of a part with this name, of which each character is a byte; null when there is none or more than one. */
function onlyHeader(headers: object, name: string): string | null {
  const values: unknown = Reflect.get(headers, name);
  const [value, ...more]: unknown[] = Array.isArray(values) ? values : [];
  return typeof value === 'string' && more.length === 0 ? value : null;
}

/** The parameters of a part's Content-Disposition; null when the part cannot be read as it was meant. */
function parametersOf(headers: object): HeaderParameters | null {
  const disposition = onlyHeader(headers, 'content-disposition');
  const isPlain =
    !('content-transfer-encoding' in headers) ||
    PLAIN_ENCODING.test(onlyHeader(headers, 'content-transfer-encoding') ?? '');
  return isPlain && disposition !== null && /^form-data\s*(?:;|$)/i.test(disposition)
    ? parseParameters(disposition)
    : null;
}

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
  private readonly parser: Dicer;
  private fileBegan: (file: FormFile) => void = () => undefined;
  private noFile: (why: unknown) => void = () => undefined;
  private formRead: (stage: Stage | null) => void = () => undefined;
  private formBroken: (why: unknown) => void = () => undefined;
  private bytes: Readable | null = null;
  private namedStage: Stage | null = null;
  /** The stage of a part before the file. */
  private stageBefore: Promise<Stage | null> = Promise.resolve(null);
  /** The names of the parts that have begun. */
  private readonly begun = new Set<string>();
  private partsToRead = 0;
  private readLastBoundary = false;

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
    this.request.off('end', this.finishWhenRead);
  }

  private listenToParser(): void {
    const { parser, request } = this;
    // The pipe pauses the request at the end of the parser, so its listeners come first.
    request.pipe(parser);
    parser.on('part', (part) => this.readPart(part));
    parser.on('error', (error) => this.failUpload(refusalOfParserError(error)));
    parser.on('finish', () => {
      this.readLastBoundary = true;
      // What stands after the last boundary is read as well, so that the request ends properly.
      request.resume();
      this.finishWhenRead();
    });
    request.on('close', this.failWhenCutOff);
    request.on('end', this.finishWhenRead);
  }

  private readonly failWhenCutOff = (): void => {
    if (!this.request.complete)
      this.failUpload(
        new Refusal('INCOMPLETE_BODY', 'The connection ended before the upload was complete. Send the file again.'),
      );
  };

  /** The form has been read when the last boundary, all its parts and what may stand behind them have been. */
  private readonly finishWhenRead = (): void => {
    if (!this.readLastBoundary || this.partsToRead > 0 || !this.request.readableEnded) return;
    if (this.bytes) this.formRead(this.namedStage);
    else this.failUpload(invalidForm(ALLOWED_PARTS));
  };

  private readPart(part: Dicer.PartStream): void {
    // The parser reports the same error itself.
    part.on('error', () => undefined);
    part.on('end', () => {
      this.partsToRead -= 1;
      this.finishWhenRead();
    });
    // Nothing is read of a part without headers, which ends at once.
    part.on('header', (header) => {
      this.partsToRead += 1;
      try {
        this.takePart(part, header);
      } catch (error) {
        part.resume();
        this.failUpload(error);
      }
    });
  }

  private takePart(part: Dicer.PartStream, header: object): void {
    const parameters = parametersOf(header);
    if (!parameters)
      throw invalidForm(
        'A part of the form has headers that cannot be read. It needs one Content-Disposition, with every quotation mark closed, and no Content-Transfer-Encoding.',
      );
    const name = parameters.get('name') ?? '';
    const filename = filenameOfPart(parameters);
    if (this.begun.has(name) || name !== (filename === null ? 'stage' : 'file')) throw invalidForm(ALLOWED_PARTS);
    this.begun.add(name);
    if (filename === null) this.stageBefore = this.readStage(part);
    else this.takeFile(part, filename);
  }

  private takeFile(bytes: Readable, filename: string): void {
    this.bytes = bytes;
    // Programs put this character in place of what they cannot write.
    if (filename.includes('\uFFFD')) throw new Refusal('INVALID_FILENAME', 'The filename must be UTF-8.');
    // A part that came in the same piece of the body has been parsed, but its end is announced later.
    void this.stageBefore.then((stageBefore) => this.fileBegan({ filename, bytes, stageBefore }));
  }

  private readStage(part: Readable): Promise<Stage | null> {
    let value = '';
    part.on('data', (chunk: Buffer) => {
      if (value.length <= MAX_FIELD_BYTES) value += chunk.toString('latin1', 0, MAX_FIELD_BYTES);
    });
    return new Promise((resolve) => {
      part.prependListener('end', () => {
        try {
          this.namedStage = parseStage(value);
          resolve(this.namedStage);
        } catch (error) {
          this.failUpload(error);
        }
      });
    });
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

function createParser({ headers }: IncomingMessage): Dicer {
  const type = headers['content-type'];
  if (type === undefined || !/^multipart\/form-data\b/i.test(type)) {
    throw new Refusal('UNSUPPORTED_MEDIA_TYPE', 'Send a form as multipart/form-data, or the bare file with PUT.');
  }
  try {
    const options = { ...PART_LIMITS, boundary: parseParameters(type)?.get('boundary') || undefined };
    return new Dicer(options);
  } catch {
    throw invalidForm('The form has no boundary.');
  }
}
