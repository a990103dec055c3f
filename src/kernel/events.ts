/** A value that JSON keeps without loss. The data of events and jobs consists of such values. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** An event as a decider returns it: a fact, named in the past tense, with its data. */
export interface DomainEvent<T extends string = string, D = object> {
  readonly type: T;
  readonly data: D;
}

/** The actor of an event. `id` is the id of an account, token or peer, or the name of the part of the server that acted. */
export interface Actor {
  readonly kind: 'account' | 'token' | 'peer' | 'system' | 'stranger';
  readonly id: string;
  readonly name: string;
}

/** Metadata that is recorded with every event. The audit trail shows it. */
export interface EventMetadata {
  readonly schemaVersion: number;
  /** The server whose log this is. */
  readonly serverId: string;
  readonly actor: Actor;
  /** IP address of the caller; null when the server acted by itself. */
  readonly address: string | null;
  readonly correlationId: string;
  readonly causationId: string | null;
}

/** An event that is to be appended to the log. Because of its id (UUIDv7), a repeated append changes nothing. */
export interface NewEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Json;
  readonly metadata: EventMetadata;
  /** Time of the first recording, for an event that is copied from another log. The current time when it is left out. */
  readonly recordedAt?: Date;
}

/** An event as the log returns it. */
export interface RecordedEvent extends NewEvent {
  readonly stream: string;
  /** Position in the stream, counted from 0. */
  readonly revision: bigint;
  /** Opaque position in the whole log. Only `EventStore.compareCursors` can compare two of them. */
  readonly cursor: string;
  readonly recordedAt: Date;
}

type Upcaster = (data: Json) => Json;

/** An upcaster that adds the fields of a newer version, with the values that older events stand for. */
export const withFields =
  (fields: { readonly [key: string]: Json }): Upcaster =>
  (data) => ({ ...Object(data), ...fields });

/** `version` is the version that is written now. `upcasters[n]` turns data of version n into data of version n + 1. */
interface EventVersion {
  readonly version: number;
  readonly upcasters?: Readonly<Record<number, Upcaster>>;
}

/** The data of an event has a version or a shape that this program cannot read. */
export class UnreadableEvent extends Error {
  override readonly name = 'UnreadableEvent';
}

/** An event of a family together with the record it was read from. */
export type Recorded<E extends DomainEvent> = E & { readonly record: RecordedEvent };

/**
 * Requires what all folds rely on: data is an object, and ids are texts. A number as an id would be the same as its text
 * in a database and another one in memory. @throws UnreadableEvent
 */
function requireReadable({ type, data }: RecordedEvent): void {
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw new UnreadableEvent(`The data of ${type} is no object`);
  for (const [name, value] of Object.entries(data)) {
    if (name.endsWith('Id') && typeof value !== 'string' && value !== null && value !== undefined)
      throw new UnreadableEvent(`${name} of ${type} is no text`);
  }
}

/**
 * The event types of one stream category and their versions. This is the only place where data of the log gets its type
 * back. Old versions are converted when they are read, so every event stays readable for ever.
 */
export class EventFamily<E extends DomainEvent> {
  readonly types: readonly E['type'][];

  constructor(private readonly versions: { readonly [T in E['type']]: EventVersion }) {
    this.types = Object.keys(versions) as E['type'][];
  }

  has(type: string): type is E['type'] {
    return Object.hasOwn(this.versions, type);
  }

  versionOf(type: E['type']): number {
    return this.versions[type].version;
  }

  /** The typed event; null when the record belongs to another family. @throws UnreadableEvent for data that is no object, and for a version that this program does not know */
  read(record: RecordedEvent): Recorded<E> | null {
    if (!this.has(record.type)) return null;
    requireReadable(record);
    const { version, upcasters = {} } = this.versions[record.type];
    let data = record.data;
    for (let v = record.metadata.schemaVersion; v < version; v++) {
      const upcast = upcasters[v];
      if (!upcast) throw new UnreadableEvent(`No upcaster for ${record.type} version ${v}`);
      data = upcast(data);
    }
    if (record.metadata.schemaVersion > version) {
      throw new UnreadableEvent(
        `${record.type} version ${record.metadata.schemaVersion} was written by a newer program`,
      );
    }
    // The log contains only what this family has written, so this cast can be trusted.
    return { type: record.type, data, record } as unknown as Recorded<E>;
  }
}
