import { Refusal } from '../../../kernel/errors.js';

const MAX_FILENAME_BYTES = 255;
// C0, DEL and C1 are invisible in listings and break headers and scripts.
const CONTROL_CHARACTER = /\p{Cc}/u;
const LONE_SURROGATE = /\p{Cs}/u;

function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

function faultOf(name: string): string | null {
  if (name === '') return 'must not be empty';
  if (name.includes('\0')) return 'must not contain NUL';
  if (LONE_SURROGATE.test(name)) return 'must be valid Unicode';
  if (CONTROL_CHARACTER.test(name)) return 'must not contain control characters';
  if (/[/\\]/.test(name)) return 'must not contain slashes or backslashes';
  if (name === '.' || name === '..') return 'must not be "." or ".."';
  if (name.trim() !== name) return 'must not begin or end with white space';
  if (utf8Length(name) > MAX_FILENAME_BYTES) return `must not be longer than ${MAX_FILENAME_BYTES} bytes in UTF-8`;
  return null;
}

/** Returns the filename in Unicode normal form C. @throws Refusal INVALID_FILENAME with the reason */
export function normalizeFilename(name: string): string {
  const normal = name.normalize('NFC');
  const why = faultOf(normal);
  if (why) throw new Refusal('INVALID_FILENAME', `The filename ${why}.`);
  return normal;
}
