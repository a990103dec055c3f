import { describe, expect, it } from 'vitest';
import { MemoryEventStore } from '../../../../test/support/memory-event-store.js';
import type { Json } from '../../../kernel/json.js';
import type { SubscribeOptions, SubscriptionItem } from '../../../ports/event-store.port.js';
import { FeedSource, type FeedEntry } from './feed-source.js';

/** The history as one page, and then the end. */
class FiniteLog extends MemoryEventStore {
  override async *subscribe(options?: SubscribeOptions): AsyncIterable<SubscriptionItem> {
    const { after = null, types = [] } = options ?? {};
    const events = this.all.filter(({ cursor, type }) => Number(cursor) > Number(after ?? 0) && types.includes(type));
    if (events.length > 0) yield { kind: 'events', events, cursor: events.at(-1)?.cursor ?? '' };
  }

  /** Records one event of a package or replica stream. */
  async note(stream: string, type: string, data: Record<string, Json>): Promise<void> {
    const actor = { kind: 'system', id: 's', name: 's' } as const;
    const metadata = { schemaVersion: 1, serverId: 'x', actor, address: null, correlationId: 'c', causationId: null };
    await this.append(stream, [{ id: `${this.all.length}`, type, data: { ...data, filename: 'F.pkg' }, metadata }], 'any');
  }
}

const stampAt = (n: number): string => `00000000000${n}-0000-x`;

async function publish(log: FiniteLog, packageId: string, source: 'local' | 'peer', at = 1): Promise<void> {
  const stamps = { stageStamp: stampAt(at), publication: stampAt(at), firstPublishedAt: '2026-01-01T00:00:00Z' };
  await log.note(`package-${packageId}`, 'PackagePublished', { packageId, stage: 'Prod', ...stamps, source: { kind: source } });
}
const remove = (log: FiniteLog, packageId: string, at: number) =>
  log.note(`package-${packageId}`, 'PackageRemoved', { packageId, stamp: stampAt(at), source: { kind: 'local' } });
const hold = (log: FiniteLog, packageId: string) => log.note(`replica-${packageId}`, 'ReplicaPublished', { packageId });

async function read(log: FiniteLog, lastId: string | null = null): Promise<FeedEntry[]> {
  const entries: FeedEntry[] = [];
  for await (const entry of new FeedSource(log).entries(lastId, new AbortController().signal)) entries.push(entry);
  return entries;
}
const summary = (entries: FeedEntry[]) =>
  entries.map(({ id, item }) => [id, item.facts.packageId, item.held !== null, item.facts.removal]);

describe('the feed', () => {
  it('tells of what was uploaded here, and of a copy only once it is held', async () => {
    const log = new FiniteLog();
    await publish(log, 'up', 'local');
    await publish(log, 'away', 'peer');
    await publish(log, 'copy', 'peer');
    await hold(log, 'copy');
    expect(summary(await read(log))).toEqual([
      ['memory.1', 'up', true, null],
      ['memory.4', 'copy', true, null],
    ]);
  });

  it('does not tell that a peer told of a package, however late that is read, but tells of later publications', async () => {
    const log = new FiniteLog();
    await publish(log, 'copy', 'peer');
    await hold(log, 'copy');
    const [first, ...more] = await read(log, 'memory.1');
    expect([first?.id, more]).toEqual(['memory.2', []]);
    await publish(log, 'gone', 'peer');
    await publish(log, 'gone', 'peer', 2);
    expect(summary(await read(log, 'memory.3'))).toEqual([['memory.4', 'gone', false, null]]);
  });

  it('tells each package once, as it is now, in the order of the last change', async () => {
    const log = new FiniteLog();
    await publish(log, 'a', 'local');
    await publish(log, 'b', 'local');
    await remove(log, 'a', 2);
    expect(summary(await read(log))).toEqual([
      ['memory.2', 'b', true, null],
      ['memory.3', 'a', false, stampAt(2)],
    ]);
  });

  it('tells that a copy was withdrawn, and that a package came back', async () => {
    const log = new FiniteLog();
    await publish(log, 'a', 'peer');
    await hold(log, 'a');
    await log.note('replica-a', 'ReplicaWithdrawn', { packageId: 'a' });
    expect(summary(await read(log))).toEqual([['memory.3', 'a', false, null]]);
    await remove(log, 'a', 2);
    await publish(log, 'a', 'peer', 3);
    expect(summary(await read(log, 'memory.4'))).toEqual([['memory.5', 'a', false, stampAt(2)]]);
  });

  it('goes on after an id of this log, and starts again for any other', async () => {
    const log = new FiniteLog();
    for (const id of ['a', 'b', 'c']) await publish(log, id, 'local');
    const after = async (id: string) => (await read(log, id)).map(({ item }) => item.facts.packageId);
    expect(await after('memory.2')).toEqual(['c']);
    expect(await after('memory.3')).toEqual([]);
    for (const id of ['other.2', 'memory.99', '2']) expect(await after(id)).toEqual(['a', 'b', 'c']);
  });
});
