import type { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { DataSource } from 'typeorm';
import { expect, it } from 'vitest';
import { OPEN_POLICY } from '../../../kernel/transfer-policy.js';
import type { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import type { EventStore } from '../../../ports/event-store.port.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import type { PeerTransport } from '../../../ports/peer-transport.port.js';
import { BUCKET_COUNT, InventoryEntriesQuery, InventoryQuery } from '../read-model/inventory.query.js';
import { Comparison } from './comparison.js';
import type { ItemHandler } from './item-handler.js';
import type { PeerStages } from './follow-records.js';
import type { RecordedRefusals } from './refused-items.js';

// Each fake has what the comparison calls.
const fake = <T>(parts: object) => parts as unknown as T;

const idOf = (n: number): string => `0195bb2c-0000-7000-8000-00000000000${n}`;
const STAMP = '018bcfe56800-0000-0195bb2c-0000-7000-8000-0000000000aa';
const entry = (n: number) => ({
  packageId: idOf(n),
  stage: 'Prod',
  stageStamp: STAMP,
  publication: STAMP,
  removal: null,
  firstPublishedAt: 1_767_323_045,
  held: true,
});
const buckets = (first: string) =>
  Array.from({ length: BUCKET_COUNT }, (_, i) => ({ registers: i === 0 ? first : '', held: '' }));
const peer = fake<PeerContact>({ peerId: 'peer', name: 'Peer', policy: OPEN_POLICY });

it('goes on behind an entry, an item and a package that cannot be processed', async () => {
  const handled: string[] = [];
  const skipped: string[] = [];
  const get = async (_peer: object, path: string): Promise<unknown> =>
    path.startsWith('/peer/v1/inventory?')
      ? { stage: 'Prod', takes: true, latestStamp: null, buckets: buckets('theirs'), refused: '' }
      : { entries: [{ packageId: 'poison' }, null, entry(1), entry(2), entry(3)] };
  const comparison = new Comparison(
    fake<EventStore>({ head: async () => null }),
    fake<QueryBus>({
      execute: async (query: object) => {
        if (query instanceof InventoryQuery) return { buckets: buckets('ours') };
        return query instanceof InventoryEntriesQuery ? [] : 2;
      },
    }),
    fake<CommandBus>({ execute: () => Promise.reject(new Error('poisoned')) }),
    fake<PeerTransport>({ get, postTo: async () => ({ items: [{ poison: true }, { n: 2 }, { n: 3 }] }) }),
    fake<ItemHandler>({
      readItem: (_peer: object, { n }: { n?: number }) => (n ? { facts: { packageId: idOf(n) } } : null),
      handleItem: async (_peer: object, { facts }: { facts: { packageId: string } }) =>
        void handled.push(facts.packageId),
      skip: async (_peer: object, packageId: string) => void skipped.push(packageId),
    }),
    fake<ReadModels>({ reflect: async () => undefined }),
    fake<DataSource>({ query: async () => [] }),
    fake<RecordedRefusals>({
      forgetOld: async () => undefined,
      findRefusedByPeer: async () => [],
      noteRefusedByPeer: async () => undefined,
    }),
    fake<PeerStages>({ noteStage: async () => undefined }),
  );
  expect(await comparison.compareWith(peer, 'Prod', new AbortController().signal)).toBe(2);
  expect(handled).toEqual([idOf(2), idOf(3)]);
  expect(skipped).toEqual([idOf(1)]);
});
