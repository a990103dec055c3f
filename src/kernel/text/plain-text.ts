/** NUL, and halves of surrogate pairs: neither is text in UTF-8 as databases take it. */
const NOT_PLAIN = /\0|\p{Surrogate}/u;

/** Can this text be stored and shown everywhere: Unicode without NUL? */
export const isPlain = (text: string): boolean => !NOT_PLAIN.test(text);

/** Is all text in this value of JSON, names included, plain? Of any depth. */
export function hasPlainText(value: unknown): boolean {
  const left = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next === 'string') {
      if (!isPlain(next)) return false;
    } else if (Array.isArray(next)) {
      for (const item of next) left.push(item);
    } else if (typeof next === 'object' && next !== null) {
      for (const [name, item] of Object.entries(next)) left.push(name, item);
    }
  }
  return true;
}

/** An escaped NUL or surrogate in JSON; `JSON.stringify` escapes none that has its other half. An even number of backslashes before it escapes itself. */
const ESCAPED_NOT_PLAIN = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/gi;

/** JSON of `JSON.stringify` in which what is not plain is replaced by U+FFFD. */
export const plainJson = (json: string): string => json.replace(ESCAPED_NOT_PLAIN, '$1\\ufffd');
