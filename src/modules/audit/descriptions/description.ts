import type { Json } from '../../../kernel/events.js';
import type { Origin, TargetType } from '../trail/audit-view.js';

export type Fields = { readonly [field: string]: Json };

/** What an event is about, in words. `details` holds neither secrets nor pages of digests. */
export interface EventDescription {
  readonly targetType: TargetType;
  readonly targetId: string;
  readonly targetLabel: string | null;
  readonly summary: string;
  readonly details: { readonly [key: string]: Json | undefined };
  /** What holds of the target from now on; with what held before, it tells what changed. */
  readonly now?: Fields;
  /** What held before, where that is known without an earlier event. */
  readonly before?: Fields;
  /** Where it began; null for here. When left out: where the target came from, as with the fetching of a package. */
  readonly origin?: Origin | null;
  /** Where the target comes from, from now on. */
  readonly source?: Origin | null;
}

/** `3 chunks`, `1 chunk`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
