import { Refusal } from '../../../kernel/errors.js';

/** An encoded word of RFC 2047, such as `=?utf-8?B?w6Q=?=`, which .NET and PowerShell write for other letters than those of ASCII. */
const ENCODED_WORD = /=\?([\w-]{1,40})(?:\*[\w-]*)?\?([bq])\?([^?\s]*)\?=/gi;
/** White space between two encoded words does not belong to the text. */
const BETWEEN_WORDS = /(\?=)\s+(?==\?)/g;

const bytesOfQ = (text: string): Buffer =>
  Buffer.from(
    text
      .replaceAll('_', ' ')
      .replaceAll(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16))),
    'latin1',
  );

function decodeWord(charset: string, encoding: string, text: string): string {
  const bytes = encoding.toLowerCase() === 'b' ? Buffer.from(text, 'base64') : bytesOfQ(text);
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    throw new Refusal('INVALID_FILENAME', 'The filename in the form is encoded in a way that cannot be read.');
  }
}

/**
 * The filename that a form gives, as the file of the sender is called. Browsers and curl write a quotation mark as `%22`
 * (and nothing else so, except line breaks, which no filename has).
 * @throws Refusal INVALID_FILENAME
 */
export const decodeFormFilename = (filename: string): string =>
  filename
    .replaceAll(BETWEEN_WORDS, '$1')
    .replaceAll(ENCODED_WORD, (_, charset: string, encoding: string, text: string) =>
      decodeWord(charset, encoding, text),
    )
    .replaceAll('%22', '"');
