/** One `type=value` of a distinguished name, with the value as it is meant, without escapes. */
interface Assertion {
  readonly type: string;
  readonly value: string;
}

const TYPE = /^\s*([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)\s*$/;
const PIECE = /\\(?:([0-9A-Fa-f]{2})|([\s\S]))|([^\\]+)|(\\)$/gy;

/** Splits at separators that are not escaped. */
function splitUnescaped(text: string, separator: ',' | '+'): string[] {
  const parts: string[] = [''];
  for (const token of text.match(/\\[\s\S]?|[^\\]/gu) ?? []) {
    if (token === separator) parts.push('');
    else parts[parts.length - 1] += token;
  }
  return parts;
}

/** Null when an escape is cut off, or what is escaped is not UTF-8. */
function unescapeValue(text: string): string | null {
  const bytes: Buffer[] = [];
  for (const [, hex, char, plain, cut] of text.matchAll(PIECE)) {
    if (cut !== undefined) return null;
    bytes.push(hex === undefined ? Buffer.from(char ?? plain ?? '') : Buffer.from(hex, 'hex'));
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(bytes));
  } catch {
    return null;
  }
}

function parseAssertion(text: string): Assertion | null {
  const at = text.indexOf('=');
  const type = TYPE.exec(at < 0 ? '' : text.slice(0, at))?.[1];
  const raw = text.slice(at + 1).trimStart();
  // A space at the end counts only when it is escaped.
  const value = unescapeValue(raw.replace(/(?<!\\)\s+$/, ''));
  return type === undefined || value === null || value === '' ? null : { type, value };
}

const foldValue = (value: string): string => value.normalize('NFKC').toLowerCase().trim().replaceAll(/\s+/g, ' ');

/**
 * One form for all ways to write a distinguished name (RFC 4514): without regard to letter case, spaces around separators,
 * and which characters are escaped. Null for what is none. For comparing only, not for asking a directory.
 */
export function dnKey(text: string): string | null {
  const names = splitUnescaped(text, ',').map((name) => splitUnescaped(name, '+').map(parseAssertion));
  if (names.some((name) => name.includes(null))) return null;
  const written = names.map((name) => {
    const sorted = name.flatMap((part) =>
      part ? `${part.type.toLowerCase()}=${encodeURIComponent(foldValue(part.value))}` : [],
    );
    return sorted.toSorted().join('+');
  });
  return written.join(',');
}
