import type { Json } from './json.js';

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
