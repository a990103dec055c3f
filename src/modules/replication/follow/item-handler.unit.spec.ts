import { Logger } from '@nestjs/common';
import type { CommandBus } from '@nestjs/cqrs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OPEN_POLICY } from '../../../kernel/transfer-policy.js';
import type { StreamReader } from '../../../platform/eventsourcing/stream-reader.js';
import { EventStoreUnavailable } from '../../../ports/event-store.port.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import type { PeerTransport } from '../../../ports/peer-transport.port.js';
import type { ServerIdentity } from '../../../ports/server-identity.port.js';
import { exampleFacts, exampleItem } from '../../../../test/support/wire-examples.js';
import { ItemFailures } from './follow-records.js';
import type { PeerItem } from './feed-item.js';
import { ItemHandler } from './item-handler.js';
import type { RefusedItems } from './refused-items.js';

const peer = { peerId: 'a', name: 'Server A', url: 'http://a', publicKey: 'k', suspended: false, policy: OPEN_POLICY };

afterEach(() => void vi.restoreAllMocks());

/** Keeps the ids of the packages whose items cannot be used. */
class KeptFailures extends ItemFailures {
  readonly ids = new Set<string>();

  override async note(_peer: PeerContact, id: string): Promise<void> {
    this.ids.add(id);
  }

  override async noteUsed(_peer: PeerContact, packageId: string): Promise<void> {
    this.ids.delete(packageId);
  }
}

function handlerWithLog(): {
  readonly items: ItemHandler;
  readonly warnings: string[];
  readonly failures: KeptFailures;
} {
  const warnings: string[] = [];
  const failures = new KeptFailures();
  vi.spyOn(Logger.prototype, 'warn').mockImplementation((message: string) => void warnings.push(message));
  // What is refused at the door reaches none of them.
  const none = <T>(): T => ({}) as unknown as T;
  const items = new ItemHandler(
    none<StreamReader>(),
    none<CommandBus>(),
    none<PeerTransport>(),
    none<ServerIdentity>(),
    failures,
    none<RefusedItems>(),
  );
  return { items, warnings, failures };
}

const withFacts = (change: object): object => ({ ...exampleItem, facts: { ...exampleFacts, ...change } });

it.each<[string, object]>([
  ['facts.uploadedBy', withFacts({ uploadedBy: 'a\0' })],
  ['facts.uploadedBy', withFacts({ uploadedBy: '\ud800' })],
  ['facts.origin.name', withFacts({ origin: { ...exampleFacts.origin, name: 'a\0' } })],
  ['facts.origin.name', withFacts({ origin: { ...exampleFacts.origin, name: 'a\udfff' } })],
  ['facts.firstPublishedAt', withFacts({ firstPublishedAt: '0000-01-01T00:00:00.000Z' })],
  ['held.verifiedAt', { ...exampleItem, held: { verifiedAt: '0000-01-01T00:00:00.000Z', lineage: [] } }],
])('an item with a bad %s is refused, and the log names the field', (field, bad) => {
  const { items, warnings } = handlerWithLog();
  expect(items.readItem(peer, exampleItem)).toEqual(exampleItem);
  expect(items.readItem(peer, bad)).toBeNull();
  expect(warnings).toEqual([
    expect.stringContaining(
      `An item about package ${exampleFacts.packageId} from Server A is refused: \`${field}\` must`,
    ),
  ]);
});

it('is logged once for each peer, package and reason', () => {
  const { items, warnings } = handlerWithLog();
  const bad = withFacts({ uploadedBy: 'a\0' });
  for (let i = 0; i < 5; i++) items.readItem(peer, bad);
  expect(warnings).toHaveLength(1);
  items.readItem({ ...peer, peerId: 'b' }, bad);
  items.readItem(peer, withFacts({ uploadedBy: '' }));
  items.readItem(peer, withFacts({ packageId: '6b1f6f0a-3c53-5d0e-9a53-0d3f4f5b7a11', uploadedBy: 'a\0' }));
  expect(warnings).toHaveLength(4);
});

it('a peer cannot fill the log with ever other items', () => {
  const { items, warnings } = handlerWithLog();
  for (let i = 0; i < 1_000; i++) {
    const packageId = `5b1f6f0a-3c53-5d0e-9a53-${i.toString(16).padStart(12, '0')}`;
    items.readItem(peer, withFacts({ packageId, uploadedBy: '\0' }));
  }
  expect(warnings.length).toBeLessThanOrEqual(101);
});

describe('an item that cannot be handled', () => {
  /** A handler whose stream of the package gives this error, as long as there is one. */
  function handlerWithError(errors: unknown[]) {
    vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const failures = new KeptFailures();
    const fake = <T>(parts: object): T => parts as unknown as T;
    const streams = fake<StreamReader>({
      load: async () => {
        const error = errors.shift();
        if (error !== undefined) throw error;
        return { facts: null };
      },
    });
    const identity = fake<ServerIdentity>({ stage: 'Prod' });
    const items = new ItemHandler(streams, fake<CommandBus>({}), fake<PeerTransport>({}), identity, failures, fake({}));
    const item = items.readItem(peer, { ...exampleItem, held: null, fetching: null });
    if (!item) throw new Error('The example is refused');
    const unwanted: PeerItem = { ...item, facts: { ...item.facts, removal: null } };
    return { failures, handle: () => items.handleItem(peer, unwanted) };
  }

  it('is recorded, and the feed goes on; when it is handled later, the record goes', async () => {
    const { failures, handle } = handlerWithError([new TypeError('x is undefined')]);
    expect(await handle()).toBe('done');
    expect([...failures.ids]).toEqual([exampleFacts.packageId]);
    expect(await handle()).toBe('done');
    expect([...failures.ids]).toEqual([]);
  });

  it('is tried again when the cause may pass', async () => {
    const { failures, handle } = handlerWithError([new EventStoreUnavailable('away')]);
    await expect(handle()).rejects.toThrow(EventStoreUnavailable);
    expect([...failures.ids]).toEqual([]);
  });
});

it('an invalid item is recorded under the id of its package', () => {
  const { items, failures } = handlerWithLog();
  items.readItem(peer, withFacts({ uploadedBy: 'a\0' }));
  expect([...failures.ids]).toEqual([exampleFacts.packageId]);
});
