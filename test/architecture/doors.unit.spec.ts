import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type WireSchema, wireSchemas } from '../../src/platform/input/wire-schema.js';
import { BAD_FORMATS, BAD_NUMBERS, BAD_TEXTS, BAD_TYPES, OTHER_FORM } from '../support/bad-input.js';
import { type Leaf, leavesOf, replacedAt, valueAt } from '../support/wire-walk.js';
import { exampleFacts, exampleItem, WIRE_EXAMPLES } from '../support/wire-examples.js';

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts') && !file.endsWith('.d.ts'))
  .map((file) => ({ file: file.replaceAll('\\', '/'), text: readFileSync(join('src', file), 'utf8') }));

const whatItSays = (path: Leaf['path']): string => path.join('.') || 'the whole';

let schemas: ReadonlyMap<string, WireSchema<unknown>>;
beforeAll(async () => {
  const making = sources.filter(
    ({ text }) => /[= ]wireSchema\(/.test(text) && !text.includes('export function wireSchema'),
  );
  for (const { file } of making) await import(/* @vite-ignore */ `../../src/${file}`);
  schemas = wireSchemas();
  const made = making.flatMap(({ text }) => text.match(/[= ]wireSchema\(/g) ?? []);
  expect(schemas.size).toBe(made.length);
});

const exampleOf = (name: string): unknown => {
  if (!(name in WIRE_EXAMPLES)) throw new Error(`Add an example for the wire schema "${name}" to wire-examples.ts.`);
  return WIRE_EXAMPLES[name];
};

/** Words of the validator's own messages, which help nobody. */
const RAW_WORDS = /Invalid (?:input|option|string|element)|expected|received|Too (?:big|small)|Unrecognized|zod/i;

/** The values for a leaf that must be refused, by what is wrong with them. */
function badValuesFor(leaf: Leaf): [string, unknown][] {
  const none: [string, unknown][] = leaf.isNullable ? [] : [['null', null]];
  if (leaf.kind === 'number') return [...none, ...Object.entries(BAD_NUMBERS)];
  if (leaf.kind === 'truth') return [...none, ...Object.entries({ number: 1, text: 'true', list: [], object: {} })];
  if (leaf.kind === 'choice') return [...none, ...Object.entries({ ...BAD_TEXTS, ...BAD_FORMATS, ...BAD_NUMBERS })];
  if (leaf.kind !== 'text' || !leaf.parser) throw new Error('is no leaf to be tested');
  const { proseFrom, form } = leaf.parser;
  const texts = { ...BAD_TEXTS, ...(proseFrom === null && BAD_FORMATS) };
  const empty: [string, unknown][] =
    proseFrom !== null && proseFrom > 0
      ? [
          ['nothing', ''],
          ['blank', ' '],
        ]
      : [];
  const other: [string, unknown][] = proseFrom !== null && form === 'refused' ? [['another form', OTHER_FORM]] : [];
  return [...none, ...Object.entries({ ...texts, ...BAD_TYPES }), ...empty, ...other];
}

describe('every schema of something from outside', () => {
  it('has an example, which it accepts and keeps as it is where it says so', () => {
    expect(schemas.size).toBeGreaterThan(15);
    expect(Object.keys(WIRE_EXAMPLES).toSorted()).toEqual([...schemas.keys()].toSorted());
    for (const [name, schema] of schemas) expect([name, schema.read(exampleOf(name)).fault]).toEqual([name, null]);
  });

  it('reads texts by the shared parsers alone', () => {
    const own = [...schemas].flatMap(([name, { shape }]) =>
      leavesOf(shape).flatMap((leaf) =>
        leaf.kind === 'text' && !leaf.parser ? [`${name}: ${whatItSays(leaf.path)}`] : [],
      ),
    );
    expect(own).toEqual([]);
  });

  it('refuses every bad value in every field, and names the field', () => {
    let tried = 0;
    const accepted: string[] = [];
    const misnamed: string[] = [];
    const repeated: string[] = [];
    const raw: string[] = [];
    for (const [name, schema] of schemas) {
      for (const leaf of leavesOf(schema.shape)) {
        for (const [what, value] of badValuesFor(leaf)) {
          tried += 1;
          const { fault } = schema.read(replacedAt(exampleOf(name), leaf.path, value));
          const where = `${name}: ${whatItSays(leaf.path)}: ${what}`;
          if (fault === null) accepted.push(where);
          const named = leaf.path.map((part) => (typeof part === 'number' ? `[${part}]` : part)).join('.');
          if (fault && fault.field !== named.replaceAll('.[', '[')) misnamed.push(`${where} is called ${fault.field}`);
          if (RAW_WORDS.test(fault?.why ?? '')) raw.push(`${where}: ${fault?.why}`);
          if (typeof value === 'string' && value.trim().length > 4 && fault?.why.includes(value)) repeated.push(where);
        }
      }
    }
    expect(accepted).toEqual([]);
    expect(misnamed).toEqual([]);
    expect(repeated).toEqual([]);
    expect(raw).toEqual([]);
    expect(tried).toBeGreaterThan(2_000);
  });

  it('gives texts that people typed in normal form C, and keeps the names of servers', () => {
    const forms = { normalises: 'é', kept: OTHER_FORM };
    let tried = 0;
    for (const [name, schema] of schemas) {
      for (const leaf of leavesOf(schema.shape)) {
        if (leaf.kind !== 'text' || !leaf.parser || leaf.parser.form === 'refused') continue;
        tried += 1;
        const { data } = schema.read(replacedAt(exampleOf(name), leaf.path, OTHER_FORM));
        expect([valueAt(data, leaf.path)].flat()).toEqual([forms[leaf.parser.form]]);
      }
    }
    expect(tried).toBeGreaterThan(5);
  });

  it('says what is wrong in words of its own', () => {
    for (const [, schema] of schemas) {
      for (const value of [null, 'x\0', 5, [], {}, { facts: null }]) {
        const { fault } = schema.read(value);
        expect(`${fault?.why}`).not.toMatch(RAW_WORDS);
      }
    }
  });
});

describe('an item of a feed', () => {
  const read = (item: unknown): string | undefined => {
    const { fault } = schemas.get('item of a feed')?.read(item) ?? {};
    return fault ? `${fault.field} ${fault.why}` : undefined;
  };
  const MIB = 1024 * 1024;

  it.each<[string, object]>([
    ['chunkCount', { chunkCount: 3 }],
    ['chunkCount', { chunkCount: 1 }],
    ['chunkCount', { size: 2 * MIB + 1 }],
    ['chunkSize', { chunkSize: 1 }],
    ['size', { size: 2 ** 40 + 1, chunkCount: 2 ** 20 + 1 }],
  ])('whose %s does not fit its other fields is refused', (field, change) => {
    expect(read({ ...exampleItem, facts: { ...exampleFacts, ...change } })).toMatch(new RegExp(`^facts\\.${field} `));
  });

  it.each([
    [{ first: 0, count: 1, sha1: Buffer.alloc(20).toString('base64'), sha256: Buffer.alloc(32).toString('base64') }],
    [{ ...exampleItem.digests, first: 1 }],
    [{ ...exampleItem.digests, sha1: Buffer.alloc(41).toString('base64') }],
    [{ ...exampleItem.digests, sha256: Buffer.alloc(63).toString('base64') }],
    // As long as 64 bytes in base64, but of 66.
    [{ ...exampleItem.digests, sha256: 'A'.repeat(88) }],
  ])('whose digests are not those of all chunks is refused', (digests) => {
    expect(read({ ...exampleItem, digests })).toMatch(/^digests/);
  });

  it('whose package has no bytes is accepted', () => {
    expect(read({ ...exampleItem, facts: { ...exampleFacts, size: 0, chunkCount: 0 }, digests: null })).toBeUndefined();
  });
});

describe('chunks', () => {
  it('are available in sorted ranges that do not overlap', () => {
    const schema = schemas.get('available chunks');
    const isRead = (...verified: object[]): boolean => schema?.read({ verified }).fault === null;
    expect(isRead({ first: 0, count: 2 }, { first: 2, count: 1 })).toBe(true);
    expect(isRead({ first: 0, count: 2 }, { first: 1, count: 1 })).toBe(false);
    expect(isRead({ first: 5, count: 2 }, { first: 0, count: 1 })).toBe(false);
    expect(isRead({ first: 0, count: 2 ** 20 + 1 })).toBe(false);
  });

  it('have pages of digests without a gap', () => {
    const schema = schemas.get('manifest');
    const { digests } = exampleItem;
    const isRead = (...pages: object[]): boolean =>
      schema?.read({ packageId: exampleFacts.packageId, pages }).fault === null;
    expect(isRead(digests, { ...digests, first: 2 })).toBe(true);
    expect(isRead(digests, { ...digests, first: 3 })).toBe(false);
    expect(isRead(digests, digests)).toBe(false);
    expect(isRead({ ...digests, first: 2 })).toBe(false);
  });
});

/** Files that parse something without a wire schema, and why they may. */
const MAY_PARSE: Readonly<Record<string, string>> = {
  'adapters/database/embedded/binaries.ts': 'files of the installation',
  'adapters/event-store/eventstoredb/eventstoredb-url.ts': 'a setting',
  'adapters/event-store/eventstoredb/read-log.ts': 'the log',
  'adapters/event-store/eventstoredb/record.ts': 'the log',
  'adapters/job-queue/bull/attempt-scripts.ts': 'answers of our scripts in the queue',
  'adapters/job-queue/bull/queue-scripts.ts': 'answers of our scripts in the queue',
  'adapters/peer-transport/http/failure-reason.ts': 'only a code is read, by a pattern',
  'adapters/peer-transport/http/feed-stream.ts': 'JSON, which the port gives out unchecked',
  'adapters/peer-transport/http/json-calls.ts': 'JSON, which the port gives out unchecked',
  'adapters/shared/job-attempt.ts': 'jobs, which we have queued',
  'cli/demo/admin-client.ts': 'a program for a trial',
  'cli/demo/demo-steps.ts': 'a program for a trial',
  'cli/verify-audit/arguments.ts': 'a program on the command line, which only reads',
  'modules/audit/chain/checkpoint-table.ts': 'our table',
  'modules/audit/trail/entry-signatures.ts': 'our table',
  'modules/audit/verify/chain-walk.ts': 'verification, which records nothing',
  'modules/audit/verify/export-verification.ts': 'verification, which records nothing',
  'modules/audit/verify/fact-check.ts': 'verification, which records nothing',
  'modules/audit/verify/key-history.ts': 'verification, which records nothing',
  'modules/audit/verify/shown-entries.ts': 'verification, which records nothing',
  'modules/audit/verify/shown-lines.ts': 'verification, which records nothing',
  'modules/audit/verify/signer-key-history.ts': 'verification, which records nothing',
  'modules/peers/addresses/announce-address.job.ts': 'the data of a job, which we have queued',
  'modules/peers/keys/announce-key.job.ts': 'the data of a job, which we have queued',
  'modules/peers/registration/invitation-token.ts': 'JSON, for a wire schema',
  'modules/replication/fetch/fetch-chunks.job.ts': 'the data of a job, which we have queued',
  'modules/replication/fetch/publish-replica.job.ts': 'the data of a job, which we have queued',
  'modules/replication/integrity/verify-package.job.ts': 'the data of a job, which we have queued',
  'modules/replication/replica/delete-withdrawn.job.ts': 'the data of a job, which we have queued',
  'platform/eventsourcing/read-model-changes.ts': 'notices of our own processes in the database',
  'platform/graphql/graphql-options.ts': 'errors that we made',
  'platform/graphql/paging.ts': 'cursors: whatever is no place in the list is refused, and nothing of it is recorded',
  'platform/input/wire-schema.ts': 'the one place that reads what comes from outside',
  'platform/peer-calls/peer-call-check.ts': 'JSON, for a wire schema',
  'platform/runtime/program-version.ts': 'a file of the installation',
  'platform/secrets/key-ring.ts': 'our own secrets',
  'server/boot/data-folder.ts': 'our own mark in the data folder',
  'server/boot/folder-users.ts': 'our own marks in the data folder',
  'server/config/checks.ts': 'settings',
  'server/config/read-variable.ts': 'settings',
};

it('nothing else is parsed without a reason', () => {
  const parsing = sources.filter(({ text }) => /(?<!\bDate|\bpositions)\.(?:safeP|p)arse(?:Async)?\(/.test(text));
  expect(parsing.map(({ file }) => file).toSorted()).toEqual(Object.keys(MAY_PARSE).toSorted());
});
