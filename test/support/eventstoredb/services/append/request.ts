import { bytesOfAppend, type ExpectedRevision, type ProposedEvent } from '../../log/record.js';
import { MAX_APPEND_BYTES } from '../../protocol/limits.js';
import type { Streams } from '../../protocol/messages.js';

/** An append as it comes in, piece by piece. */
export class AppendRequest {
  readonly events: ProposedEvent[] = [];
  private bytes = 0;

  constructor(
    readonly stream: string,
    readonly expected: ExpectedRevision,
  ) {}

  get isTooLarge(): boolean {
    return this.bytes > MAX_APPEND_BYTES;
  }

  add(event: ProposedEvent): void {
    this.events.push(event);
    this.bytes += bytesOfAppend(event);
  }
}

export function expectedOfAppend(options: Streams.AppendReq.Options): ExpectedRevision {
  if (options.hasRevision()) return readRevision(options.getRevision());
  if (options.hasNoStream()) return 'no_stream';
  if (options.hasStreamExists()) return 'stream_exists';
  if (options.hasAny()) return 'any';
  throw new Error('No expected stream revision');
}

export function expectedOfBatch(options: Streams.BatchAppendReq.Options): ExpectedRevision {
  if (options.hasStreamPosition()) return readRevision(options.getStreamPosition());
  if (options.hasNoStream()) return 'no_stream';
  if (options.hasStreamExists()) return 'stream_exists';
  if (options.hasAny()) return 'any';
  throw new Error('No expected stream position');
}

const LARGEST_REVISION = 2n ** 63n - 1n;

/** Revisions are unsigned on the wire and signed in the server: the upper half does not exist. */
function readRevision(text: string): bigint {
  const revision = BigInt(text);
  if (revision < 0n || revision > LARGEST_REVISION) throw new Error(`Value was out of range: ${text}`);
  return revision;
}
