import { type DomainEvent, EventFamily } from '../../../kernel/events.js';

/** Names in one event. `count` and `size` are those of all files. */
export const MAX_NAMED_FILES = 100;

/** Files that nothing claimed are deleted now: an administrator asked for it, or their time is over. Stream `storage`. */
export type UnclaimedFilesDeleted = DomainEvent<
  'UnclaimedFilesDeleted',
  {
    readonly reason: 'requested' | 'expired';
    readonly count: number;
    /** In bytes. */
    readonly size: number;
    readonly names: readonly string[];
  }
>;

export const storageEvents = new EventFamily<UnclaimedFilesDeleted>({ UnclaimedFilesDeleted: { version: 1 } });
