import { describe, expect, it } from 'vitest';
import { MemoryEventStore } from '../../../../test/support/memory-event-store.js';
import { strictFailures } from '../../../../test/support/strict-failures.js';
import type { Json } from '../../../kernel/events.js';
import type { SubscribeOptions, SubscriptionItem } from '../../../ports/event-store.port.js';
import { StreamReader } from '../../../platform/eventsourcing/stream-reader.js';
import type { Failure } from '../../../platform/failures/unprocessable-events.js';
import { FeedSource, type FeedEntry } from './feed-source.js';
import { NoSignerKeys } from '../../../../test/support/no-signer-keys.js';

/** The history as one page, and then the end. */
class FiniteLog extends MemoryEventStore {
  override async *subscribe(options?: SubscribeOptions): AsyncIterable<SubscriptionItem> {
    const { after = null, types = [] } = options ?? {};
    const events = this.all.filter(({ cursor, type }) => Number(cursor) > Number(after ?? 0) && types.includes(type));
    if (events.length > 0) yield { kind: 'events', events, cursor: events.at(-1)?.cursor ?? '' };
  }

  /** Records one event of a package or replica stream. */
  async note(stream: string, type: string, data: Record<string, Json>, schemaVersion = 1): Promise<void> {
    const actor = { kind: 'system', id: 's', name: 's' } as const;
    const metadata = { schemaVersion, serverId: 'x', actor, address: null, correlationId: 'c', causationId: null };
    await this.append(
      stream,
      [{ id: `e${this.all.length + 1}`, type, data: { ...data, filename: 'F.pkg' }, metadata }],
      'any',
    );
  }
}

const stampAt = (n: number): string => `00000000000${n}-0000-x`;

async function publish(
  log: FiniteLog,
  packageId: string,
  source: 'local' | 'peer',
  at = 1,
  chunkCount = 1,
): Promise<void> {
  const stamps = { stageStamp: stampAt(at), publication: stampAt(at), firstPublishedAt: '2026-01-01T00:00:00Z' };
  await log.note(`package-${packageId}`, 'PackagePublished', {
    packageId,
    stage: 'Prod',
    chunkCount,
    ...stamps,
    source: { kind: source },
  });
}
const remove = (log: FiniteLog, packageId: string, at: number) =>
  log.note(`package-${packageId}`, 'PackageRemoved', { packageId, stamp: stampAt(at), source: { kind: 'local' } });
const hold = (log: FiniteLog, packageId: string) => log.note(`replica-${packageId}`, 'ReplicaPublished', { packageId });

const request = (log: FiniteLog, packageId: string, from = 'a') =>
  log.note(`replica-${packageId}`, 'ReplicaRequested', { packageId, fromPeerId: from });
const report = (log: FiniteLog, packageId: string, verifiedAt: string | null) =>
  log.note(
    `replica-${packageId}`,
    'ReplicaReported',
    { packageId, peerId: 'a', peerName: 'A', verifiedAt, lineage: [] },
    2,
  );

async function read(log: FiniteLog, lastId: string | null = null): Promise<FeedEntry[]> {
  const entries: FeedEntry[] = [];
  const source = new FeedSource(log, new StreamReader(log), new NoSignerKeys(), strictFailures);
  for await (const entry of source.readEntries(lastId, new AbortController().signal)) entries.push(entry);
  return entries;
}
const summary = (entries: FeedEntry[]) =>
  entries.map(({ id, item }) => [id, item.facts.packageId, item.held !== null, item.facts.removal]);

const idOf = (nth: number): string => `memory.${nth}.e${nth}`;

describe('the feed', () => {
  it('tells of what was uploaded here, and of a copy only once it is held', async () => {
    const log = new FiniteLog();
    await publish(log, 'up', 'local');
    await publish(log, 'away', 'peer');
    await publish(log, 'copy', 'peer');
    await hold(log, 'copy');
    expect(summary(await read(log))).toEqual([
      ['memory.1.e1', 'up', true, null],
      ['memory.4.e4', 'copy', true, null],
    ]);
  });

  it('does not tell that a peer told of a package, however late that is read, but tells of later publications', async () => {
    const log = new FiniteLog();
    await publish(log, 'copy', 'peer');
    await hold(log, 'copy');
    const [first, ...more] = await read(log, 'memory.1.e1');
    expect([first?.id, more]).toEqual(['memory.2.e2', []]);
    await publish(log, 'gone', 'peer');
    await publish(log, 'gone', 'peer', 2);
    expect(summary(await read(log, 'memory.3.e3'))).toEqual([['memory.4.e4', 'gone', false, null]]);
  });

  it('tells each package once, as it is now, in the order of the last change', async () => {
    const log = new FiniteLog();
    await publish(log, 'a', 'local');
    await publish(log, 'b', 'local');
    await remove(log, 'a', 2);
    expect(summary(await read(log))).toEqual([
      ['memory.2.e2', 'b', true, null],
      ['memory.3.e3', 'a', false, stampAt(2)],
    ]);
  });

  it('stands at an event that is told by itself, so that who puts a package off is told of it again', async () => {
    const log = new FiniteLog();
    await publish(log, 'a', 'local');
    await publish(log, 'b', 'local');
    await log.note('replica-a', 'ReplicaReported', { packageId: 'a', peerId: 'p', peerName: 'P', verifiedAt: null });
    const told = await read(log);
    expect(summary(told).map(([id, packageId]) => [id, packageId])).toEqual([
      ['memory.1.e1', 'a'],
      ['memory.2.e2', 'b'],
    ]);
    // A peer that has taken nothing reads from the start, and one that has taken `a` goes on after it.
    expect((await read(log, told[0]?.id)).map(({ item }) => item.facts.packageId)).toEqual(['b']);
  });

  it('tells that a copy was withdrawn, and that a package came back', async () => {
    const log = new FiniteLog();
    await publish(log, 'a', 'peer');
    await hold(log, 'a');
    await log.note('replica-a', 'ReplicaWithdrawn', { packageId: 'a' });
    expect(summary(await read(log))).toEqual([['memory.3.e3', 'a', false, null]]);
    await remove(log, 'a', 2);
    await publish(log, 'a', 'peer', 3);
    expect(summary(await read(log, 'memory.4.e4'))).toEqual([['memory.5.e5', 'a', false, stampAt(2)]]);
  });

  it('tells of a large package once when it is on its way and once when it is held; of a small one only then', async () => {
    for (const [packageId, chunks] of [
      ['large', 17],
      ['small', 16],
    ] as const) {
      const log = new FiniteLog();
      await publish(log, packageId, 'peer', 1, chunks);
      await request(log, packageId);
      const told = (entries: FeedEntry[]) => entries.map(({ item }) => [item.held !== null, item.fetching !== null]);
      expect(told(await read(log))).toEqual(packageId === 'large' ? [[false, true]] : []);
      const [begun] = [idOf(log.all.length)];
      await hold(log, packageId);
      expect(told(await read(log, begun))).toEqual([[true, false]]);
      // What came before is told by what is still to come.
      expect(told(await read(log))).toEqual([[true, false]]);
    }
  });

  it('tells once more when the way of our copy is complete only after we hold it', async () => {
    const log = new FiniteLog();
    await publish(log, 'p', 'peer', 1, 17);
    await report(log, 'p', null);
    await request(log, 'p');
    await hold(log, 'p');
    const [told] = await read(log);
    expect(told?.item.held?.lineage).toMatchObject([{ serverId: 'a', verifiedAt: null }]);
    for (const at of ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z']) await report(log, 'p', at);
    const later = await read(log, told?.id);
    expect(later.map(({ id }) => id)).toEqual([idOf(log.all.length)]);
    const first = await read(log, idOf(log.all.length - 2));
    expect(first).toHaveLength(1);
    expect(await read(log, idOf(log.all.length - 1))).toEqual([]);
  });

  it('goes on after an id of this log, and starts again for any other', async () => {
    const log = new FiniteLog();
    for (const id of ['a', 'b', 'c']) await publish(log, id, 'local');
    const after = async (id: string) => (await read(log, id)).map(({ item }) => item.facts.packageId);
    expect(await after('memory.2.e2')).toEqual(['c']);
    expect(await after('memory.3.e3')).toEqual([]);
    for (const id of ['other.2.e2', 'memory.99.e99', 'memory.2.e9', 'memory.2', '2'])
      expect(await after(id)).toEqual(['a', 'b', 'c']);
  });

  it('tells that a file was found damaged, and that it is whole again', async () => {
    const log = new FiniteLog();
    await publish(log, 'a', 'local');
    await log.note('replica-a', 'ReplicaDamaged', { packageId: 'a', runs: [], chunkCount: 1 });
    await log.note('package-a', 'PackageDamaged', { packageId: 'a' });
    expect(summary(await read(log))).toEqual([['memory.3.e3', 'a', false, null]]);
    await hold(log, 'a');
    expect(summary(await read(log, 'memory.3.e3'))).toEqual([['memory.4.e4', 'a', true, null]]);
  });

  it('gives the items of packages that a peer asks for, also of those that are not held', async () => {
    const log = new FiniteLog();
    await publish(log, 'a', 'local');
    await publish(log, 'b', 'peer');
    const items = await new FeedSource(log, new StreamReader(log), new NoSignerKeys(), strictFailures).readItems([
      'a',
      'b',
      'c',
    ]);
    expect(items.map(({ facts, held }) => [facts.packageId, held !== null])).toEqual([
      ['a', true],
      ['b', false],
    ]);
  });
});

describe('a feed of a log with events that cannot be told', () => {
  const read = async (log: FiniteLog) => {
    const failed: string[] = [];
    const failures = { note: async ({ record }: Failure) => void failed.push(record.id) };
    const told: string[] = [];
    const source = new FeedSource(log, new StreamReader(log), new NoSignerKeys(), failures);
    for await (const { item } of source.readEntries(null, new AbortController().signal))
      told.push(item.facts.packageId);
    return { told, failed, items: (await source.readItems(['a', 'bad', 'b'])).map(({ facts }) => facts.packageId) };
  };
  const bad = (change: Record<string, Json>, schemaVersion = 1) => ({
    data: {
      packageId: 'bad',
      stage: 'Prod',
      chunkCount: 1,
      stageStamp: stampAt(1),
      publication: stampAt(1),
      firstPublishedAt: '2026-01-01T00:00:00Z',
      source: { kind: 'local' },
      ...change,
    },
    schemaVersion,
  });

  it.each([
    ['text with NUL', bad({ uploadedBy: 'a\0' })],
    ['half of a surrogate pair', bad({ uploadedBy: 'a\ud800' })],
    ['a date of year 0', bad({ firstPublishedAt: '0000-01-01T00:00:00Z' })],
    ['an id that is no text', bad({ packageId: 7 })],
    ['no source', bad({ source: null })],
    ['a version that nobody knows', bad({}, 99)],
  ])('goes on after %s, and records the event', async (_, { data, schemaVersion }) => {
    const log = new FiniteLog();
    await publish(log, 'a', 'local');
    await log.note('package-bad', 'PackagePublished', data, schemaVersion);
    await publish(log, 'b', 'local');
    const { told, failed, items } = await read(log);
    expect(told).toEqual(['a', 'b']);
    expect(new Set(failed)).toEqual(new Set(['e2']));
    expect(items).toEqual(['a', 'b']);
  });
});
