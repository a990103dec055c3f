import type { DomainEvent } from '../../../kernel/event.js';
import { EventFamily } from '../../../kernel/event-family.js';

/** Stream `secrets`: they are encrypted under another key since. `keyId` tells keys apart, and nothing about them. */
export type EncryptionKeyRotated = DomainEvent<
  'EncryptionKeyRotated',
  { readonly keyId: string; readonly secrets: number }
>;

export const secretEvents = new EventFamily<EncryptionKeyRotated>({ EncryptionKeyRotated: { version: 1 } });
