import type { IncomingHttpHeaders } from 'node:http';
import { ParseError, parseDictionary, type Dictionary } from 'structured-headers';
import { Refusal } from '../../../../kernel/refusal.js';
import type { ExpectedDigests } from '../../commands/upload/upload-package.command.js';

/** Algorithms that are checked (`sha` is SHA-1), with the length of their digests in bytes; others are ignored. */
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
 * What the sender says about the file by RFC 9530. Content-Digest covers the body, so it counts only where that is the
 * file itself. @throws Refusal INVALID_DIGEST
 */
export function expectedDigests(headers: IncomingHttpHeaders, bodyIsFile: boolean): ExpectedDigests {
  const names = bodyIsFile ? ['Content-Digest', 'Repr-Digest'] : ['Repr-Digest'];
  let expected: ExpectedDigests = {};
  for (const name of names) {
    const value = headers[name.toLowerCase()];
    if (value === undefined) continue;
    const digests = digestsIn(name, String(value));
    if (contradict(expected, digests)) {
      throw new Refusal('INVALID_DIGEST', 'Content-Digest and Repr-Digest contradict each other.');
    }
    expected = { ...expected, ...digests };
  }
  return expected;
}

const contradict = (a: ExpectedDigests, b: ExpectedDigests): boolean =>
  (['sha1', 'sha256', 'sha512'] as const).some((name) => a[name] && b[name] && a[name] !== b[name]);
