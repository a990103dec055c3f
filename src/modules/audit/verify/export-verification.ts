import { createHash } from 'node:crypto';
import { verifyEd25519 } from '../../../platform/peer-calls/ed25519.js';
import type { Checkpoint } from '../chain/checkpoint.js';
import { exportEndBytes } from '../export/export-format.js';
import { BEGINNING, ChainWalk, KeptCheckpoint } from './chain-walk.js';
import { type EndLine, type EntryLine, type HeaderLine, Line } from './export-shapes.js';
import { KeyHistory } from './key-history.js';
import {
  explainWrongNumber,
  makeLinkError,
  makeMovedBackError,
  makeRepeatedError,
  requireOwnHash,
} from './line-order.js';
import { type Problem, Problems, Tampered } from './problem.js';
import { ShownLines } from './shown-lines.js';

const NEWLINE = 0x0a;
/** An event has at most 64 KiB, and its description is not longer. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

/** Reads the lines of a file as bytes, with their line ends. Only `\n` ends a line. @throws Error for a line of more than 4 MiB */
async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    let bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : Buffer.from(chunk);
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE)) {
      yield bytes.subarray(0, end + 1);
      bytes = bytes.subarray(end + 1);
    }
    rest = bytes;
    if (rest.length > MAX_LINE_BYTES) throw new Error('A line is too long');
  }
  if (rest.length > 0) yield rest;
}

export interface VerifiedExport {
  /** The first problem of the chain and the first one of the shown entries, in the order of the entries; empty when nothing was changed. */
  readonly problems: readonly Problem[];
  readonly header: HeaderLine | null;
  readonly entries: number;
  readonly checkpoints: number;
  /** True when the shown entries were compared with the events. */
  readonly shown: boolean;
}

const makeUnreadableError = (what: string, number = 0): Tampered =>
  new Tampered({ wrong: 'unreadable', number, eventId: null, what });

/** Verifies an export with a public key alone. Reads it once, one line at a time. */
export class ExportVerification {
  private readonly keys: KeyHistory;
  private readonly walk: ChainWalk;
  private readonly kept: KeptCheckpoint;
  private readonly digest = createHash('sha256');
  private readonly problems = new Problems();
  /** Numbers of the entries of a partial export. */
  private readonly seen = new Set<number>();
  private header: HeaderLine | null = null;
  private shown: ShownLines | null = null;
  private before: EntryLine | null = null;
  private entries = 0;

  constructor(
    private readonly publicKey: string,
    kept: Checkpoint | null = null,
  ) {
    this.keys = new KeyHistory(new Set([publicKey]));
    this.walk = new ChainWalk(BEGINNING, this.keys);
    this.kept = new KeptCheckpoint(kept, this.walk);
  }

  async run(chunks: AsyncIterable<Uint8Array>): Promise<VerifiedExport> {
    await this.problems.watch('log', () => this.verifyLines(readLines(chunks)));
    const { problems, header, entries, walk, shown } = this;
    return {
      problems: problems.found,
      header,
      entries,
      checkpoints: walk.checkpoints,
      shown: shown?.comparable ?? false,
    };
  }

  private async verifyLines(lines: AsyncGenerator<Buffer>): Promise<void> {
    for await (const bytes of lines) {
      const line = parseLine(bytes, this.before);
      if ('end' in line) {
        this.verifyEnd(line.end);
        await this.problems.watch('shown', () => this.shown?.checkEnd());
        if ((await lines.next()).done !== true)
          throw makeUnreadableError('Something was added after the end of the export.');
        return;
      }
      this.digest.update(bytes);
      await this.verifyLine(line, lines);
    }
    const what = this.header
      ? `The export was cut off after entry ${this.before?.number ?? 0}: its last line is missing.`
      : 'This is not an export of an audit trail.';
    throw new Tampered({ wrong: 'tail', number: (this.before?.number ?? 0) + 1, eventId: null, what });
  }

  private async verifyLine(line: Exclude<Line, { end: EndLine }>, rest: AsyncGenerator<Buffer>): Promise<void> {
    if ('export' in line) this.beginExport(line.export);
    else if (!this.header)
      throw makeUnreadableError('The first line is not the beginning of an export of an audit trail.');
    else if ('checkpoint' in line) this.walk.verifyCheckpoint(line.checkpoint);
    else if (this.header.filter === null) await this.verifyNextEntry(line.entry, rest);
    else await this.verifyEntryOfPart(line.entry);
  }

  private beginExport(header: HeaderLine): void {
    if (this.header) throw makeUnreadableError('There are two exports in one file.', this.walk.number + 1);
    this.header = header;
    this.shown = new ShownLines(header);
  }

  /** Verifies the next entry of a complete export. @throws Tampered */
  private async verifyNextEntry(entry: EntryLine, rest: AsyncGenerator<Buffer>): Promise<void> {
    const { walk } = this;
    if (entry.number !== walk.number + 1) throw await explainWrongNumber(entry, walk.number + 1, readNumbers(rest));
    const hash = requireOwnHash(entry);
    if (entry.previous !== walk.hash) throw makeLinkError(entry);
    this.keys.noteEvent(entry);
    walk.advance(hash);
    await this.acceptEntry(entry);
    this.kept.checkReached();
  }

  /** Verifies the next entry of a partial export, in which entries can be left out. @throws Tampered */
  private async verifyEntryOfPart(entry: EntryLine): Promise<void> {
    const { before } = this;
    if (before && entry.number <= before.number)
      throw this.seen.has(entry.number) ? makeRepeatedError(entry) : makeMovedBackError(entry, before);
    requireOwnHash(entry);
    if (before && entry.number === before.number + 1 && entry.previous !== before.hash) throw makeLinkError(entry);
    this.seen.add(entry.number);
    await this.acceptEntry(entry);
  }

  private async acceptEntry(entry: EntryLine): Promise<void> {
    await this.problems.watch('shown', () => this.shown?.compareLine(entry));
    this.before = entry;
    this.entries += 1;
  }

  private verifyEnd(end: EndLine): void {
    const { header, walk, entries } = this;
    if (!header) throw makeUnreadableError('The first line is not the beginning of an export of an audit trail.');
    const number = (this.before?.number ?? 0) + 1;
    const makeError = (kind: Problem['wrong'], what: string): Tampered =>
      new Tampered({ wrong: kind, number, eventId: null, what });
    if (!verifyEd25519(end.key, exportEndBytes(end), Buffer.from(end.signature, 'base64url')))
      throw makeError('signature', 'The signature at the end of the export does not match: the last line was changed.');
    if (header.filter === null && end.number > walk.number)
      throw makeError(
        'removed',
        `The export ends with entry ${walk.number}, but was signed up to entry ${end.number}: the last entries were removed.`,
      );
    if (end.entries !== entries)
      throw makeError(
        end.entries > entries ? 'removed' : 'inserted',
        `The export has ${entries} entries, but was signed with ${end.entries}.`,
      );
    if (end.lines !== this.digest.digest('hex'))
      throw makeError(
        'changed',
        'The lines are not those that were signed: their order was changed, or something in them that is not part of an event.',
      );
    if (header.filter === null) this.walk.checkKeys();
    if (!this.keys.trusts(end.key))
      throw makeError(
        'signature',
        `The export is signed with the key ${end.key}, and neither with the given key (${this.publicKey}) nor with one of its successors.`,
      );
    if (header.filter === null) this.kept.checkEnd();
  }
}

function parseLine(bytes: Buffer, before: EntryLine | null): Line {
  try {
    return Line.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    const isWhole = bytes.at(-1) === 0x0a;
    const number = (before?.number ?? 0) + 1;
    if (!isWhole && before)
      throw new Tampered({
        wrong: 'tail',
        number,
        eventId: null,
        what: `The export was cut off within the line after entry ${before.number}.`,
      });
    throw makeUnreadableError(
      `The line after entry ${before?.number ?? 0} is not a valid line of an export: it was changed.`,
      number,
    );
  }
}

async function* readNumbers(lines: AsyncGenerator<Buffer>): AsyncGenerator<number> {
  for await (const bytes of lines) {
    const line = Line.safeParse(JSON.parse(bytes.toString('utf8')));
    if (line.success && 'entry' in line.data) yield line.data.entry.number;
  }
}
