import type { DomainEvent, RecordedEvent } from './event.js';
import type { Json } from './json.js';

type Upcaster = (data: Json) => Json;

/** The upcaster for fields that a version added: what older events mean by not having them. */
export const withFields =
  (fields: { readonly [key: string]: Json }): Upcaster =>
  (data) => ({ ...Object(data), ...fields });

/** `version` is what is written today; `upcasters[n]` turns the data of version n into that of version n + 1. */
export interface EventVersion {
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
