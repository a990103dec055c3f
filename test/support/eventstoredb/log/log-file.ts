import { closeSync, existsSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { z } from 'zod';
import type { StoredEvent } from './record.js';

const base64 = z.string().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
const integer = z.string().transform(BigInt);
const storedEvent = z.object({
  id: z.string(),
  type: z.string(),
  isJson: z.boolean(),
  data: base64,
  metadata: base64,
  stream: z.string(),
  revision: integer,
  commit: integer,
  prepare: integer,
  created: integer,
});
const append = z.array(storedEvent);

/**
 * The log on disk: a line an append, written in one call before the append is answered, so that what was answered
 * outlives the process. A line that was cut off by a kill was never answered, and is removed.
 */
export class LogFile {
  private descriptor = -1;

  constructor(private readonly path: string) {}

  /** Opens the file for writing and returns what is in it. */
  open(): StoredEvent[] {
    const events = existsSync(this.path) ? this.read() : [];
    this.descriptor = openSync(this.path, 'a');
    return events;
  }

  write(events: readonly StoredEvent[]): void {
    writeSync(this.descriptor, `${JSON.stringify(events.map(toJson))}\n`);
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private read(): StoredEvent[] {
    const bytes = readFileSync(this.path);
    const end = bytes.lastIndexOf(0x0a) + 1;
    if (end < bytes.length) truncateSync(this.path, end);
    const lines = bytes.subarray(0, end).toString('utf8').split('\n').slice(0, -1);
    return lines.flatMap((line) => append.parse(JSON.parse(line)));
  }
}

const toJson = (event: StoredEvent): object => ({
  ...event,
  data: Buffer.from(event.data).toString('base64'),
  metadata: Buffer.from(event.metadata).toString('base64'),
  revision: String(event.revision),
  commit: String(event.commit),
  prepare: String(event.prepare),
  created: String(event.created),
});
