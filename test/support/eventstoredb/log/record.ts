/** An event as a client proposes it. */
export interface ProposedEvent {
  /** Lower-case UUID. */
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly data: Uint8Array;
  /** The custom metadata: bytes that the server never looks into. */
  readonly metadata: Uint8Array;
}

/** A place in the log. Ordered by commit, then by prepare. */
export interface Position {
  readonly commit: bigint;
  readonly prepare: bigint;
}

/** An event in the log. */
export interface StoredEvent extends ProposedEvent, Position {
  readonly stream: string;
  readonly revision: bigint;
  /** When the server stored it: ticks of 100 ns since 1970, as the protocol has it. */
  readonly created: bigint;
}

/** `AppendReq.Options.expected_stream_revision`. */
export type ExpectedRevision = 'any' | 'no_stream' | 'stream_exists' | bigint;

const TICKS_PER_MILLISECOND = 10_000n;

export const nowInTicks = (): bigint => BigInt(Date.now()) * TICKS_PER_MILLISECOND;

export const comparePositions = (a: Position, b: Position): number =>
  a.commit === b.commit ? Number(a.prepare - b.prepare) : Number(a.commit - b.commit);

/** Length fields, flags, ids and time of a prepare record in the transaction file. */
const RECORD_OVERHEAD = 103;

/** Bytes that the record takes in the transaction file: what positions grow by. */
export const bytesInFile = (stream: string, event: ProposedEvent): bigint =>
  BigInt(
    RECORD_OVERHEAD +
      Buffer.byteLength(stream) +
      Buffer.byteLength(event.type) +
      event.data.length +
      event.metadata.length,
  );

/** What counts towards the largest append, as the server counts it (UTF-16 for the type). */
export const bytesOfAppend = (event: ProposedEvent): number =>
  event.data.length + event.metadata.length + 2 * event.type.length;
