import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type Dictionary, parseDictionary, ParseError } from 'structured-headers';
import { Refusal } from '../../../kernel/errors.js';
import { isStage, type Stage, STAGES } from '../../../kernel/stage.js';
import type { ExpectedDigests } from './receive-file.js';

export const UPLOAD_PATH = '/api/packages';

/** Parses the stage that a query or a form names. Null stays null. @throws Refusal INVALID_STAGE */
export function parseStage(value: string | null): Stage | null {
  if (value === null || isStage(value)) return value;
  throw new Refusal('INVALID_STAGE', `The stage must be one of ${STAGES.join(', ')}.`);
}

function queryOf(url: string): URLSearchParams {
  const query = url.indexOf('?');
  return new URLSearchParams(query < 0 ? '' : url.slice(query));
}

/** Whether the query says yes to an option, which is no by default. @throws Refusal INVALID_REQUEST */
export function optionInQuery(url: string, option: 'allowEmpty' | 'demote'): boolean {
  const values = queryOf(url).getAll(option);
  if (values.some((value) => value !== 'true' && value !== 'false'))
    throw new Refusal('INVALID_REQUEST', `${option} must be true or false.`);
  return values.length > 0 && values.every((value) => value === 'true');
}

/** The SHA-256 digest in the query of a URL, in lower-case hex, or null when there is none. @throws Refusal INVALID_DIGEST */
export function digestInQuery(url: string): string | null {
  const [digest = null, ...more] = queryOf(url).getAll('sha256');
  if (digest === null || (more.length === 0 && /^[0-9a-f]{64}$/i.test(digest))) return digest?.toLowerCase() ?? null;
  throw new Refusal('INVALID_DIGEST', 'sha256 must be the SHA-256 digest of the file in hex (64 digits), given once.');
}

/** The stage in the query of a URL, or null when there is none. @throws Refusal INVALID_STAGE */
export function stageInQuery(url: string): Stage | null {
  const [stage = null, ...more] = queryOf(url).getAll('stage');
  if (more.length > 0) throw new Refusal('INVALID_STAGE', 'Give the stage only once.');
  return parseStage(stage);
}

/**
 * The filename in the URL, exactly as it was sent. Dot segments and slashes belong to it and are refused.
 * @throws Refusal INVALID_FILENAME
 */
export function filenameInUrl(url: string): string {
  const [path = ''] = url.split('?', 1);
  const encoded = path.slice(UPLOAD_PATH.length + 1);
  if (encoded === '')
    throw new Refusal(
      'INVALID_FILENAME',
      'The filename must not be empty. It belongs before the question mark: PUT /api/packages/<filename>?stage=…. curl adds the filename only to an address that ends with a slash.',
    );
  if (encoded.includes('/')) throw new Refusal('INVALID_FILENAME', 'The filename must not contain slashes.');
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new Refusal('INVALID_FILENAME', 'The filename must be percent-encoded UTF-8.');
  }
}

/** The announced size of the body in bytes, or null when the sender does not announce it. */
export function bodySize({ headers }: IncomingMessage): number | null {
  const length = headers['content-length'];
  return length === undefined ? null : Number(length);
}

/**
 * Checks that the request has a body, and that this body is the whole file without any encoding.
 * @throws Refusal UNSUPPORTED_MEDIA_TYPE, INVALID_REQUEST
 */
export function requirePlainBody({ headers }: IncomingMessage): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new Refusal('UNSUPPORTED_MEDIA_TYPE', 'Send the file without Content-Encoding.');
  }
  const transfer = headers['transfer-encoding'];
  if (transfer !== undefined && transfer.toLowerCase() !== 'chunked') {
    throw new Refusal('UNSUPPORTED_MEDIA_TYPE', 'Send the file without a Transfer-Encoding other than chunked.');
  }
  if (headers['content-range'] !== undefined) {
    throw new Refusal(
      'INVALID_REQUEST',
      'Send the whole file. This server does not accept parts of a file (Content-Range).',
    );
  }
  if (headers['content-length'] === undefined && transfer === undefined) {
    throw new Refusal('INVALID_REQUEST', 'Send the file as the body of the request.');
  }
}

/** The algorithms that are checked (`sha` is SHA-1), with the length of their digests in bytes. Others are ignored. */
const DIGEST_ALGORITHMS = {
  sha: { name: 'sha1', length: 20 },
  'sha-256': { name: 'sha256', length: 32 },
  'sha-512': { name: 'sha512', length: 64 },
} as const;

function malformedDigest(header: string): Refusal {
  return new Refusal('INVALID_DIGEST', `${header} must look like sha-256=:<base64 of the digest>:`);
}

function parseDigestHeader(header: string, value: string): Dictionary {
  try {
    return parseDictionary(value);
  } catch (error) {
    if (error instanceof ParseError) throw malformedDigest(header);
    throw error;
  }
}

function digestsIn(header: string, value: string): ExpectedDigests {
  const digests: { -readonly [name in keyof ExpectedDigests]: string } = {};
  const dictionary = parseDigestHeader(header, value);
  for (const [bytes] of dictionary.values()) if (!(bytes instanceof ArrayBuffer)) throw malformedDigest(header);
  for (const [algorithm, { name, length }] of Object.entries(DIGEST_ALGORITHMS)) {
    const [bytes] = dictionary.get(algorithm) ?? [];
    if (!(bytes instanceof ArrayBuffer)) continue;
    if (bytes.byteLength !== length) throw malformedDigest(header);
    digests[name] = Buffer.from(bytes).toString('hex');
  }
  return digests;
}

/**
 * The digests that the sender expects, from the headers of RFC 9530. Content-Digest covers the body, so it counts only
 * when the body is the file itself (`bodyIsFile`).
 * @throws Refusal INVALID_DIGEST
 */
export function expectedDigests(headers: IncomingHttpHeaders, bodyIsFile: boolean): ExpectedDigests {
  const names = bodyIsFile ? ['Content-Digest', 'Repr-Digest'] : ['Repr-Digest'];
  let expected: ExpectedDigests = {};
  for (const name of names) {
    const value = headers[name.toLowerCase()];
    if (value === undefined) continue;
    const digests = digestsIn(name, String(value));
    if (contradictEachOther(expected, digests)) {
      throw new Refusal('INVALID_DIGEST', 'Content-Digest and Repr-Digest contradict each other.');
    }
    expected = { ...expected, ...digests };
  }
  return expected;
}

const contradictEachOther = (a: ExpectedDigests, b: ExpectedDigests): boolean =>
  (['sha1', 'sha256', 'sha512'] as const).some((name) => a[name] && b[name] && a[name] !== b[name]);
