import type { Stamp } from '../../kernel/hybrid-clock.js';
import type { Introduction } from '../../kernel/introduction.js';

/**
 * Whether a key belongs to a server: it does; no key of this server is known; or other keys of it are known, or this
 * one was replaced before.
 */
export type KeyStatus = 'known' | 'server unknown' | 'other key';

/** The keys with which servers sign facts: our own, those of peers, and those of servers that peers have introduced. */
export abstract class SignerKeys {
  /** @param at is the time of what was signed, in milliseconds since 1970; a key that was replaced before is refused */
  abstract statusOf(serverId: string, publicKey: string, at: number): KeyStatus;

  /** The name of a server as this server knows it; null when it is unknown. */
  abstract nameOf(serverId: string): string | null;

  /** The stamp from which on the server signs its facts; null when no signed fact of it is known. */
  abstract signsSince(serverId: string): Stamp | null;

  /**
   * Introductions of a server for a peer: what the server last said of itself, and what this server knows of it. Empty
   * when the peer needs none, or when no key of the server is known.
   */
  abstract introduce(serverId: string): readonly Introduction[];
}
