import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuditExport } from '../../../src/modules/audit/export/audit-export.js';
import { hashEntry } from '../../../src/modules/audit/chain/chain-entry.js';
import { ExportVerification } from '../../../src/modules/audit/verify/export-verification.js';
import type { AuditFilter } from '../../../src/modules/audit/trail/audit-view.js';
import { keySuccessionText } from '../../../src/modules/server/contracts/server-keys.js';
import { AuditScene } from '../../support/audit-scene.js';
import { OWN_SERVER } from '../../support/read-side.js';

let scene: AuditScene;
let whole: string[];
let firstKey: string;

beforeAll(async () => {
  scene = await AuditScene.open();
  firstKey = scene.identity.publicKey;
  await scene.publish(5);
  await scene.catchUp();
  const previous = firstKey;
  const publicKey = scene.identity.addKey();
  const proof = Buffer.from(scene.identity.sign(keySuccessionText(OWN_SERVER, previous, publicKey), previous)).toString(
    'base64url',
  );
  await scene.record('server', ['ServerKeyRotated', { publicKey, previousPublicKey: previous, proof }, 2]);
  await scene.publish(3);
  await scene.catchUp();
  whole = linesOf(await exported());
});
afterAll(() => scene.close());

const linesOf = (text: string): string[] => text.split('\n').filter(Boolean);

async function exported(filter: AuditFilter = {}, format: 'csv' | 'ndjson' = 'ndjson'): Promise<string> {
  const exporter = new AuditExport(
    scene.dataSource,
    scene.store,
    { reflect: () => Promise.resolve() } as never,
    scene.identity,
  );
  let text = '';
  for await (const piece of exporter[format](filter)) text += piece;
  return text;
}

async function verify(lines: readonly string[], publicKey = scene.identity.publicKey) {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  // In pieces of a size that ends within lines.
  const pieces = Array.from({ length: Math.ceil(bytes.length / 1000) }, (_, i) =>
    bytes.subarray(i * 1000, (i + 1) * 1000),
  );
  return new ExportVerification(publicKey).run(Readable.from(pieces));
}

type Entry = {
  number: number;
  id: string;
  hash: string;
  previous: string;
  data: Record<string, unknown>;
  shown: { summary: string };
};
const entryOf = (line: string): Entry | null => (JSON.parse(line) as { entry?: Entry }).entry ?? null;
const place = (number: number): number => whole.findIndex((line) => entryOf(line)?.number === number);
const at = (number: number): string => whole[place(number)] ?? '';
const first = async (lines: readonly string[]) => (await verify(lines)).problems[0];

/** The lines with one of them made another. */
function changed(number: number, change: (entry: Entry) => void): string[] {
  const entry = entryOf(at(number));
  if (!entry) throw new Error('There is no such entry');
  change(entry);
  return whole.with(place(number), JSON.stringify({ entry }));
}

describe('an export of everything', () => {
  it('is verified with the public key of today, and with the one before', async () => {
    expect(await verify(whole)).toMatchObject({ problems: [], entries: 26, checkpoints: 2, shown: true });
    expect(await verify(whole, firstKey)).toMatchObject({ problems: [], entries: 26 });
    expect((await verify(whole, 'A'.repeat(43))).problems).toMatchObject([{ wrong: 'signature' }]);
  });

  it('holds neither digests of chunks nor hashes of secrets', () => {
    expect(whole.join('\n')).not.toMatch(/QUFBQUFB|QkJDQkJD/);
  });

  it('shows the entry that was changed', async () => {
    expect(await first(changed(7, (entry) => (entry.data['uploadedBy'] = 'x')))).toMatchObject({
      wrong: 'changed',
      number: 7,
      eventId: entryOf(at(7))?.id,
    });
  });

  it('shows one that was given a hash of its own', async () => {
    const lines = changed(6, (entry) => {
      entry.data['uploadedBy'] = 'x';
      entry.hash = hashEntry(entry as never);
    });
    expect((await verify(lines)).problems).toMatchObject([
      { wrong: 'shown', number: 6 },
      { wrong: 'changed', number: 6, upTo: 7 },
    ]);
  });

  it('shows that words were changed', async () => {
    expect(await first(changed(6, (entry) => (entry.shown.summary = 'Nothing')))).toMatchObject({
      wrong: 'shown',
      number: 6,
    });
  });

  it('shows which entry was removed, inserted, or put elsewhere', async () => {
    expect(await first(whole.toSpliced(place(6), 1))).toMatchObject({ wrong: 'removed', number: 6 });
    expect(await first(whole.toSpliced(place(6), 3))).toMatchObject({ wrong: 'removed', number: 6, upTo: 8 });
    expect(await first(whole.toSpliced(place(6), 0, at(4)))).toMatchObject({
      wrong: 'inserted',
      number: 4,
      eventId: entryOf(at(4))?.id,
    });
    expect(await first(whole.with(place(6), at(9)).with(place(9), at(6)))).toMatchObject({
      wrong: 'reordered',
      number: 6,
    });
  });

  it('shows that it was written anew from an entry on', async () => {
    let previous = '';
    const lines = changed(6, (entry) => (entry.data['uploadedBy'] = 'x')).map((line) => {
      const entry = entryOf(line);
      if (!entry || entry.number < 6) return line;
      if (previous) entry.previous = previous;
      previous = entry.hash = hashEntry(entry as never);
      return JSON.stringify({ entry });
    });
    expect((await verify(lines)).problems).toMatchObject([
      { wrong: 'changed', number: 1, upTo: 16 },
      { wrong: 'shown', number: 6 },
    ]);
  });

  it('shows that the end is missing, or another was put there', async () => {
    expect(await first(whole.slice(0, -1))).toMatchObject({ wrong: 'tail' });
    expect(await first(whole.slice(0, 12))).toMatchObject({
      wrong: 'tail',
      number: (entryOf(whole[11] ?? '')?.number ?? 0) + 1,
    });
    expect(await first([...whole.slice(0, 15), whole.at(-1) ?? ''])).toMatchObject({ wrong: 'removed' });
    expect(await first([...whole, at(3)])).toMatchObject({ wrong: 'unreadable' });
    expect(await first(whole.with(0, (whole[0] ?? '').replace('Here', 'There')))).toMatchObject({ wrong: 'changed' });
    expect(await first(whole.with(5, 'nonsense'))).toMatchObject({ wrong: 'unreadable' });
    expect(await first([])).toMatchObject({ wrong: 'tail' });
  });
});

describe('an export of a part', () => {
  it('is verified entry by entry, and by the signature at its end', async () => {
    const lines = linesOf(await exported({ kinds: ['PackagePublished'] }));
    expect(await verify(lines)).toMatchObject({ problems: [], entries: 8, checkpoints: 0 });
    expect((await verify(lines.toSpliced(3, 1))).problems).toMatchObject([{ wrong: 'removed' }]);
    expect((await verify(lines.with(2, lines[3] ?? '').with(3, lines[2] ?? ''))).problems).toMatchObject([
      { wrong: 'reordered' },
    ]);
    expect((await verify(lines.with(2, (lines[2] ?? '').replace('"admin"', '"other"')))).problems).toMatchObject([
      { wrong: 'changed', number: 6 },
    ]);
  });

  it('may be empty', async () => {
    expect(await verify(linesOf(await exported({ actor: 'nobody' })))).toMatchObject({ problems: [], entries: 0 });
  });

  it('begins far from the beginning of the log', async () => {
    const lines = linesOf(await exported({ kinds: ['ServerKeyRotated'] }));
    expect(lines.map(entryOf).flatMap((entry) => entry?.number ?? [])).toEqual([17]);
    expect(await verify(lines)).toMatchObject({ problems: [], entries: 1 });
  });

  it('as CSV has a first record of names and a last one that tells that it is whole', async () => {
    const records = (await exported({ text: 'app-' }, 'csv')).split('\r\n').filter(Boolean);
    expect(records[0]).toContain('"number","recordedAt","kind"');
    expect(records).toHaveLength(26);
    expect(records.at(-1)).toContain('"EndOfExport","Complete: 24 entries"');
  });
});
