import { Refusal } from '../../../kernel/errors.js';

/** The parameters of a header such as Content-Disposition, with their names in lower case. */
export type HeaderParameters = ReadonlyMap<string, string>;

/** One `; name=value`, or nothing between two semicolons. A bare value ends at the next semicolon and may contain blanks. */
const PARAMETER = /\s*;\s*(?:([\w!#$&+.^`|~*'-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^";]*)))?\s*/y;
/** An encoded word of RFC 2047, such as `=?utf-8?B?w6Q=?=`, which .NET and PowerShell write for other letters than those of ASCII. */
const ENCODED_WORD = /=\?([\w-]{1,40})(?:\*[\w-]*)?\?([bq])\?([^?\s]*)\?=/gi;
/** White space between two encoded words does not belong to the text. */
const BETWEEN_WORDS = /(\?=)\s+(?==\?)/g;
/** The value of `filename*` (RFC 8187): a character set, a language that may be empty, and percent-encoded bytes. */
const EXTENDED = /^([\w-]{1,40})'[\w-]*'((?:[^%]|%[0-9a-f]{2})*)$/i;

/** Decodes the escape sequences of a text whose characters are bytes otherwise. */
const decodeEscapes = (text: string, escape: RegExp): Buffer =>
  Buffer.from(
    text.replaceAll(escape, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16))),
    'latin1',
  );

const bytesOfWord = (encoding: string, text: string): Buffer =>
  encoding.toLowerCase() === 'b'
    ? Buffer.from(text, 'base64')
    : decodeEscapes(text.replaceAll('_', ' '), /=([0-9a-f]{2})/gi);

function decodeText(bytes: Buffer, charset: string): string {
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const why = charset === 'utf-8' ? 'must be UTF-8' : 'in the form is encoded in a way that cannot be read';
    throw new Refusal('INVALID_FILENAME', `The filename ${why}.`);
  }
}

/**
 * The parameters of a header whose characters are its bytes. A backslash in quotation marks escapes only a quotation mark
 * and itself: browsers send all other backslashes as they are. Null when the header cannot be read in exactly one way: when
 * a quotation mark has no end, something stands behind it, or a parameter is given twice.
 */
export function parseParameters(header: string): HeaderParameters | null {
  const parameters = new Map<string, string>();
  const parameter = new RegExp(PARAMETER);
  parameter.lastIndex = header.includes(';') ? header.indexOf(';') : header.length;
  while (parameter.lastIndex < header.length) {
    const found = parameter.exec(header);
    if (!found) return null;
    const [, name, quoted, bare = ''] = found;
    if (name === undefined) continue;
    if (parameters.has(name.toLowerCase())) return null;
    parameters.set(name.toLowerCase(), quoted?.replaceAll(/\\(["\\])/g, '$1') ?? bare.trim());
  }
  return parameters;
}

function decodeExtended(value: string): string {
  const [, charset = '', encoded] = EXTENDED.exec(value) ?? [];
  if (encoded === undefined)
    throw new Refusal('INVALID_FILENAME', "The filename* in the form must look like utf-8''<percent-encoded name>.");
  return decodeText(decodeEscapes(encoded, /%([0-9a-f]{2})/gi), charset.toLowerCase());
}

/** Browsers and curl write a quotation mark as `%22` (and nothing else so, except line breaks, which no filename has). */
function decodePlain(value: string): string {
  const text = decodeText(Buffer.from(value, 'latin1'), 'utf-8');
  if (/%0[ad]/i.test(text))
    throw new Refusal(
      'INVALID_FILENAME',
      'The filename must not contain %0A or %0D, which stand for line breaks in a form. Send the file with PUT.',
    );
  return text
    .replaceAll(BETWEEN_WORDS, '$1')
    .replaceAll(ENCODED_WORD, (_, charset: string, encoding: string, word: string) =>
      decodeText(bytesOfWord(encoding, word), charset.toLowerCase()),
    )
    .replaceAll('%22', '"');
}

/**
 * The filename that a part of a form gives, as the file of the sender is called, or null when it gives none. `filename*`
 * comes before `filename` (RFC 6266), in whichever order they stand.
 * @throws Refusal INVALID_FILENAME
 */
export function filenameOfPart(parameters: HeaderParameters): string | null {
  if ([...parameters.keys()].some((name) => /^filename\*\d/.test(name)))
    throw new Refusal('INVALID_FILENAME', 'The filename must not be divided (filename*0). Send it in one piece.');
  const extended = parameters.get('filename*');
  if (extended !== undefined) return decodeExtended(extended);
  const plain = parameters.get('filename');
  return plain === undefined ? null : decodePlain(plain);
}
