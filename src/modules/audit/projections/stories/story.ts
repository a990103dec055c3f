import type { Json } from '../../../../kernel/json.js';
import type { TargetType } from '../../contracts/audit-view.js';

/** What an event is about, in words. `details` holds neither secrets nor pages of digests. */
export interface Story {
  readonly targetType: TargetType;
  readonly targetId: string;
  readonly targetLabel: string | null;
  readonly summary: string;
  readonly details: { readonly [key: string]: Json | undefined };
}

/** `3 chunks`, `1 chunk`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
