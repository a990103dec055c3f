import { expect } from 'vitest';
import { z } from 'zod';
import { allErrorCodes } from '../../../src/platform/http/errors/error-codes.js';
import '../../../src/server/app.module.js';
import { GRAPHQL_REQUEST_CODES } from '../../../src/platform/graphql/graphql-errors.js';

/** Of whatever was sent. */
export interface Answer {
  readonly status: number;
  /** By names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

const CODES = new Set([...allErrorCodes().keys(), ...Object.keys(GRAPHQL_REQUEST_CODES)]);

const Plain = z.object({
  code: z.string(),
  message: z.string().min(1),
  details: z.record(z.string(), z.unknown()).optional(),
});
const Graphql = z.object({
  errors: z.array(z.object({ message: z.string().min(1), extensions: z.object({ code: z.string() }) })).min(1),
});

/** What nobody outside is to see: frames of a stack, paths of the machine, SQL. */
const INSIDE =
  /node_modules|\n\s+at |\bat \S+ \(|\w\.[cm]?[jt]s:\d+|\/(?:work|tmp|home|usr|root)\/|INSERT INTO|SELECT .* FROM|syntax error at or near|violates|invalid byte sequence|relation "|TypeError|RangeError|Cannot read prop/;

const ON_ALL = [
  'content-security-policy',
  'x-content-type-options',
  'referrer-policy',
  'x-frame-options',
  'cross-origin-resource-policy',
];

/** The codes of an answer that is none of success. @throws when it is not one that clients can rely on */
export function codesOf({ status, headers, body }: Answer): string[] {
  if (status < 400 && !body.subarray(0, 12).includes('"errors"')) return [];
  const type = headers.get('content-type') ?? '';
  if (status < 400 && !type.includes('json')) return [];
  const parsed: unknown = JSON.parse(body.toString('utf8'));
  const graphql = Graphql.safeParse(parsed);
  return graphql.success ? graphql.data.errors.map(({ extensions }) => extensions.code) : [Plain.parse(parsed).code];
}

/** What must be true of every answer, whatever was sent. */
export function expectGoodAnswer(answer: Answer, isHead = false): void {
  const { status, headers, body } = answer;
  const text = body.toString('utf8');
  expect(text.slice(0, 2_000)).not.toMatch(INSIDE);
  if (status === 500) throw new Error(`Answered 500: ${text.slice(0, 500)}`);
  expect([...headers.keys()]).toEqual(expect.arrayContaining(ON_ALL));
  expect(headers.has('x-powered-by')).toBe(false);
  if (isHead || status === 304) return;
  const unknown = codesOf(answer).filter((code) => !CODES.has(code) || code === 'INTERNAL');
  if (unknown.length > 0) throw new Error(`Answered with ${unknown.join(', ')}: ${text.slice(0, 500)}`);
}
