/** A value that survives JSON without loss; what event data and job data are made of. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** What a decider emits: a fact in the past tense, with its data. */
export interface DomainEvent<T extends string = string, D = object> {
  readonly type: T;
  readonly data: D;
}

/** Who did it. `id` is an account id, token id, peer id, or the name of the part of the system that acted. */
export interface Actor {
  readonly kind: 'account' | 'token' | 'peer' | 'system' | 'stranger';
  readonly id: string;
  readonly name: string;
}

/** Recorded with every event; the audit trail is a projection over it. */
export interface EventMetadata {
  readonly schemaVersion: number;
  /** The server whose log this is. */
  readonly serverId: string;
  readonly actor: Actor;
  /** Remote IP address of the call that led here, null when the system acted by itself. */
  readonly address: string | null;
  readonly correlationId: string;
  readonly causationId: string | null;
}

/** An event on its way into the log. The id (UUIDv7) makes a repeated append harmless. */
export interface NewEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Json;
  readonly metadata: EventMetadata;
  /** When it was recorded first, for an event that is copied from another log; now when left out. */
  readonly recordedAt?: Date;
}

/** An event as the log returns it. */
export interface RecordedEvent extends NewEvent {
  readonly stream: string;
  /** Place within the stream, from 0. */
  readonly revision: bigint;
  /** Opaque place in the whole log; compare with `EventStore.compareCursors` only. */
  readonly cursor: string;
  readonly recordedAt: Date;
}

type Upcaster = (data: Json) => Json;

/** The upcaster for fields that a version added: what older events mean by not having them. */
export const withFields =
  (fields: { readonly [key: string]: Json }): Upcaster =>
  (data) => ({ ...Object(data), ...fields });

/** `version` is what is written today; `upcasters[n]` turns the data of version n into that of version n + 1. */
interface EventVersion {
  readonly version: number;
  readonly upcasters?: Readonly<Record<number, Upcaster>>;
}

/** An event of a family together with the record it was read from. */
export type Recorded<E extends DomainEvent> = E & { readonly record: RecordedEvent };

/**
 * The event types of one stream category and their versions: the one place where data from the log gets its type
 * back. Old versions are upcast on reading and stay readable for ever.
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

  /** The typed event, or null when the record is of another family. Throws on a version newer than this program. */
  read(record: RecordedEvent): Recorded<E> | null {
    if (!this.has(record.type)) return null;
    const { version, upcasters = {} } = this.versions[record.type];
    let data = record.data;
    for (let v = record.metadata.schemaVersion; v < version; v++) {
      const upcast = upcasters[v];
      if (!upcast) throw new Error(`No upcaster for ${record.type} version ${v}`);
      data = upcast(data);
    }
    if (record.metadata.schemaVersion > version) {
      throw new Error(`${record.type} version ${record.metadata.schemaVersion} was written by a newer program`);
    }
    // The log holds what this family wrote, so this is the one trusted cast.
    return { type: record.type, data, record } as unknown as Recorded<E>;
  }
}
