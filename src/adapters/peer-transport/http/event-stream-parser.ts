/** A message of a server-sent event stream; `id` is the last one seen, '' when there was none. */
export interface StreamMessage {
  readonly id: string;
  readonly data: string;
}

/** Largest message, in bytes of UTF-8 text. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/**
 * Parses a server-sent event stream (WHATWG HTML, 9.2.6) piece by piece. Only `id` and `data` matter here; comments,
 * `event` and `retry` are skipped. Lines may end in LF, CRLF or CR.
 */
export class EventStreamParser {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private rest = '';
  private data: string[] = [];
  private size = 0;
  private id = '';

  /** The messages that this piece completes. @throws RangeError on a message over 1 MiB, TypeError on broken UTF-8 */
  push(piece: Uint8Array): readonly StreamMessage[] {
    const text = this.rest + this.decoder.decode(piece, { stream: true });
    // A CR at the very end may be the first half of a CRLF.
    const whole = text.endsWith('\r') ? text.slice(0, -1) : text;
    const lines = whole.split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? '') + text.slice(whole.length);
    const messages = lines.flatMap((line) => this.take(line));
    this.refuseOver(this.size + this.rest.length);
    return messages;
  }

  private take(line: string): readonly StreamMessage[] {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.addData(value);
    if (field === 'id' && !value.includes('\0')) this.id = value;
    return [];
  }

  private addData(value: string): void {
    this.size += value.length + 1;
    this.refuseOver(this.size);
    this.data.push(value);
  }

  private dispatch(): readonly StreamMessage[] {
    if (this.data.length === 0) return [];
    const message = { id: this.id, data: this.data.join('\n') };
    this.data = [];
    this.size = 0;
    return [message];
  }

  private refuseOver(size: number): void {
    if (size > MAX_MESSAGE_BYTES) throw new RangeError('a message of over 1 MiB');
  }
}
