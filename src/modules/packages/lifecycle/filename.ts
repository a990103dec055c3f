import { Refusal } from '../../../kernel/errors.js';
import { findFilenameFault } from '../../../kernel/input-text.js';

/** Returns the filename in Unicode normal form C. @throws Refusal INVALID_FILENAME with the reason */
export function normalizeFilename(name: string): string {
  const normal = name.normalize('NFC');
  const why = findFilenameFault(normal);
  if (why) throw new Refusal('INVALID_FILENAME', `The filename ${why}.`);
  return normal;
}
