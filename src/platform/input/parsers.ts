import { z } from 'zod';
import { isStamp, stampMs } from '../../kernel/hybrid-clock.js';
import {
  encodesBytes,
  findFilenameFault,
  findTextFault,
  isStorableMs,
  isStorableTime,
  parseTypedTime,
  type TextRules,
  TIME_FAULT,
} from '../../kernel/input-text.js';
import { MAX_CHUNKS, MAX_PACKAGE_SIZE } from '../../kernel/chunk-ranges.js';
import { MAX_SUCCESSIONS } from '../../kernel/introduction.js';
import { BASE_URL_ADVICE, isBaseUrl } from '../../kernel/text.js';

/**
 * What a parser of texts does with a text in another Unicode normal form than C. People type such texts, and `normalises`
 * makes them equal to those that look the same. Other servers have normalised what they send: what they have not is
 * `refused`, since facts are passed on as they are, and a changed one would not be the same fact. Names of servers are
 * `kept`: earlier versions did not normalise them, and they are only shown.
 */
export type FormRule = 'normalises' | 'refused' | 'kept';

interface TextParser {
  readonly form: FormRule;
  /** The least length of a text that people read, such as a name; null for a text with a format, such as a digest. */
  readonly proseFrom: number | null;
}

/** All parsers of texts, which a test looks up. */
export const textParsers = z.registry<TextParser>();

const checked = (text: z.ZodString, findFault: (text: string) => string | null): z.ZodString =>
  text.superRefine((value, context) => {
    const fault = findFault(value);
    if (fault !== null) context.addIssue({ code: 'custom', message: fault });
  });

const formatted = (text: z.ZodString): z.ZodString => text.register(textParsers, { form: 'refused', proseFrom: null });

const matching = (isRight: (text: string) => boolean, fault: string): z.ZodString =>
  formatted(checked(z.string(), (text) => (isRight(text) ? null : fault)));

/** A text that another server sends. */
export const machineText = (rules: TextRules): z.ZodString =>
  checked(z.string(), (text) => findTextFault(text, rules)).register(textParsers, {
    form: rules.anyForm === true ? 'kept' : 'refused',
    proseFrom: rules.min ?? 0,
  });

/** A text that somebody has typed. */
export const typedText = (rules: TextRules): z.ZodString =>
  checked(
    z.string().overwrite((text) => text.normalize('NFC')),
    (text) => findTextFault(text, rules),
  ).register(textParsers, { form: 'normalises', proseFrom: rules.min ?? 0 });

/** The name of another server. */
export const serverName = (max = 100): z.ZodString => machineText({ min: 1, max, anyForm: true });

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A UUID in lower case. In another spelling it would be another key of the same thing. */
export const LowerUuid = matching((text) => UUID.test(text), 'must be a UUID in lower case');

/** So many bytes in lower-case hexadecimal. */
export const hexBytes = (bytes: number): z.ZodString => {
  const pattern = new RegExp(`^[0-9a-f]{${bytes * 2}}$`);
  return matching((text) => pattern.test(text), `must be ${bytes} bytes in lower-case hexadecimal`);
};

/** So many bytes in base64url without padding. */
export const base64UrlBytes = (bytes: number): z.ZodString =>
  matching((text) => encodesBytes(text, bytes, 'base64url'), `must be ${bytes} bytes in base64url`);

/** A raw Ed25519 public key. */
export const PublicKey = base64UrlBytes(32);
/** An Ed25519 signature. */
export const Signature = base64UrlBytes(64);

/** Proofs that keys follow former ones. */
export const keySuccessions = (max = MAX_SUCCESSIONS) =>
  z.array(z.object({ previousPublicKey: PublicKey, publicKey: PublicKey, proof: Signature })).max(max);

export const Filename = checked(z.string(), (text) =>
  text.normalize('NFC') === text ? findFilenameFault(text) : 'must be in Unicode normal form C',
).register(textParsers, { form: 'refused', proseFrom: 1 });

/** The base URL of a server. */
export const BaseUrl = matching(isBaseUrl, `must be an address. ${BASE_URL_ADVICE.replace(/\.$/, '')}`);

/** A stamp of a hybrid clock, of a time that can be stored. */
export const Stamp = matching(
  (text) => isStamp(text) && isStorableMs(stampMs(text)),
  'must be the stamp of a time from 1990 to 2199',
);

/** A time as servers write it. */
export const Time = matching(isStorableTime, TIME_FAULT);

const TYPED_TIME_FAULT = `${TIME_FAULT}, such as 2026-11-30T08:00:00Z or 2026-11-30T09:00:00+01:00. In an address, + is written %2B`;

/** A time that somebody gives, in any zone (RFC 3339). */
export const TypedTime = formatted(
  checked(z.string(), (text) => (parseTypedTime(text) === null ? TYPED_TIME_FAULT : null)),
).transform((text) => parseTypedTime(text) ?? new Date(Number.NaN));

/** A whole number in decimal digits, as it stands in an address. */
export const digitsUpTo = (max: number, min = 0) =>
  matching(
    (text) => /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max,
    `must be a whole number from ${min} to ${max}`,
  ).transform(Number);

/** Seconds since 1970. */
export const Seconds = z.int().superRefine((value, context) => {
  if (!isStorableMs(value * 1000)) context.addIssue({ code: 'custom', message: TIME_FAULT });
});

export const PackageSize = z.int().min(0).max(MAX_PACKAGE_SIZE);
export const ChunkCount = z.int().min(0).max(MAX_CHUNKS);
export const ChunkIndex = z
  .int()
  .min(0)
  .max(MAX_CHUNKS - 1);

/** Sorted and disjoint ranges of chunks. */
export const chunkRanges = (max: number) =>
  z
    .array(z.object({ first: ChunkIndex, count: z.int().min(1).max(MAX_CHUNKS) }))
    .max(max)
    .superRefine((ranges, context) => {
      let next = 0;
      for (const { first, count } of ranges) {
        if (first < next || first + count > MAX_CHUNKS)
          return context.addIssue({ code: 'custom', message: 'must be sorted ranges that do not overlap' });
        next = first + count;
      }
    });

/** At most this many chunks stand in one page. */
const CHUNKS_PER_PAGE = 512;
const SHA1_BYTES = 20;
const SHA256_BYTES = 32;

const digests = (bytes: number): z.ZodString =>
  formatted(checked(z.string(), (text) => (text.length > CHUNKS_PER_PAGE * bytes * 2 ? 'is too long' : null)));

/** The digests of neighbouring chunks, in exactly the length that their number demands. */
export const DigestPage = z
  .object({
    first: ChunkIndex,
    count: z.int().min(1).max(CHUNKS_PER_PAGE),
    sha1: digests(SHA1_BYTES),
    sha256: digests(SHA256_BYTES),
  })
  .superRefine(({ count, sha1, sha256 }, context) => {
    const check = (field: 'sha1' | 'sha256', text: string, bytes: number): void => {
      if (!encodesBytes(text, count * bytes, 'base64'))
        context.addIssue({ code: 'custom', path: [field], message: `must be ${bytes} bytes of base64 for each chunk` });
    };
    check('sha1', sha1, SHA1_BYTES);
    check('sha256', sha256, SHA256_BYTES);
  });

/** Pages that follow each other from the first chunk on, without a gap or an overlap. */
export const DigestPages = z
  .array(DigestPage)
  .max(MAX_CHUNKS / CHUNKS_PER_PAGE)
  .superRefine((pages, context) => {
    let next = 0;
    for (const { first, count } of pages) {
      if (first !== next) return context.addIssue({ code: 'custom', message: 'must follow each other without a gap' });
      next += count;
    }
  });
