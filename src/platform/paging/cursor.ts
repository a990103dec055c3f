import type { z } from 'zod';
import { Refusal } from '../../kernel/refusal.js';

/** An opaque place in a list, as clients pass it back: base64url of JSON. */
export const encodeCursor = (place: object): string => Buffer.from(JSON.stringify(place)).toString('base64url');

const MAX_CURSOR_LENGTH = 2_000;

function parseCursor(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

/** @throws Refusal INVALID_CURSOR when it is not one of ours, or was made for another list or order. */
export function decodeCursor<T>(cursor: string, schema: z.ZodType<T>): T {
  const place = cursor.length <= MAX_CURSOR_LENGTH ? schema.safeParse(parseCursor(cursor)) : undefined;
  if (place?.success) return place.data;
  throw new Refusal(
    'INVALID_CURSOR',
    'This cursor does not belong to this list. Start without `after`, in the same order for every page.',
  );
}
