import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RecordedRefusals } from '../../../src/modules/replication/follow/refused-items.js';
import {
  DifferencesQuery,
  findDifferingBuckets,
  InventoryEntriesQuery,
  InventoryQuery,
  stagesOfBoth,
  DifferencesHandler,
  InventoryEntriesHandler,
  InventoryHandler,
} from '../../../src/modules/replication/read-model/inventory.query.js';
import {
  digestOfIds,
  RefusedPackagesHandler,
  RefusedPackagesQuery,
} from '../../../src/modules/replication/read-model/refused.query.js';
import { PEER, publication, ReadSide, recorded, stamp } from '../../support/read-side.js';

let side: ReadSide;
beforeAll(async () => {
  side = await ReadSide.open();
});
afterAll(() => side.close());
beforeEach(() =>
  side.dataSource.query('TRUNCATE packages, replicas, replica_packages, state.refused_items, state.refused_by_peers'),
);

const OUR_COPIES = { peerId: PEER, holder: 'us' } as const;
const ALL = stagesOfBoth('Dev', 'Dev');
const inventory = (holder: 'us' | 'peer' = 'us', stages = ALL) =>
  new InventoryHandler(side.dataSource).execute(new InventoryQuery(stages, { peerId: PEER, holder }));
const differences = (found: string[] = []) =>
  new DifferencesHandler(side.dataSource).execute(new DifferencesQuery(PEER, { ours: ALL, theirs: ['Prod'] }, found));
const bucketOf = (packageId: string): number => Number.parseInt(packageId.slice(0, 2), 16);
const reported = (packageId: string) =>
  recorded('ReplicaReported', {
    packageId,
    peerId: PEER,
    peerName: 'There',
    verifiedAt: '2026-01-02T03:04:05.678Z',
    lineage: [],
  });
const removal = (packageId: string, time: number) =>
  recorded('PackageRemoved', { packageId, filename: 'x', stamp: stamp(time), source: { kind: 'local' } });
const published = (filename: string, change: Parameters<typeof publication>[1] = {}) => {
  const data = publication(filename, change);
  return { id: data.packageId, event: recorded('PackagePublished', data) };
};
const version2 = (event: ReturnType<typeof recorded>) => ({
  ...event,
  metadata: { ...event.metadata, schemaVersion: 2 },
});

describe('the digests of an inventory', () => {
  it('are the same for the same packages, whatever order they came in', async () => {
    const packages = Array.from({ length: 20 }, (_, i) => published(`${i}.pkg`));
    await side.apply(...packages.map(({ event }) => event));
    const first = await inventory();
    await side.dataSource.query('TRUNCATE packages');
    for (const { event } of packages.toReversed()) await side.apply(event);
    expect(await inventory()).toEqual(first);
    expect(first.buckets).toHaveLength(256);
    expect(first.latestStamp).toBe(stamp(1));
  });

  it.each([
    ['a package more', () => published('b.pkg')],
    [
      'a stage',
      () => {
        const { packageId } = publication('a.pkg');
        const data = {
          packageId,
          filename: 'a.pkg',
          from: 'Prod',
          to: 'Test',
          stamp: stamp(9),
          source: { kind: 'local' },
        };
        return { id: packageId, event: recorded('PackageStageChanged', data) };
      },
    ],
    ['a removal', () => ({ id: publication('a.pkg').packageId, event: removal(publication('a.pkg').packageId, 9) })],
    [
      'damage',
      () => {
        const { packageId, filename, size, sha256, chunkCount } = publication('a.pkg');
        const data = { packageId, filename, size, sha256, chunkCount, fromPeerId: PEER, runs: [], missing: false };
        return { id: packageId, event: recorded('ReplicaDamaged', data) };
      },
    ],
  ])('differ in the one bucket of what differs: %s', async (_, change) => {
    await side.apply(published('a.pkg').event, published('z.pkg').event);
    const before = await inventory();
    const { id, event } = change();
    await side.apply(event);
    expect(findDifferingBuckets(before.buckets, (await inventory()).buckets)).toEqual([bucketOf(id)]);
  });

  it('leave out other stages and tombstones', async () => {
    await side.apply(published('a.pkg').event);
    const before = await inventory('us', ['Prod']);
    const gone = published('gone.pkg');
    await side.apply(published('dev.pkg', { stage: 'Dev' }).event, gone.event, removal(gone.id, 5));
    expect((await inventory('us', ['Prod'])).buckets).toEqual(before.buckets);
  });

  it('show what a peer holds as that peer shows it, once it was reported', async () => {
    const { id, event } = published('a.pkg');
    await side.apply(event);
    const theirs = await inventory();
    expect(findDifferingBuckets((await inventory('peer')).buckets, theirs.buckets)).toEqual([bucketOf(id)]);
    await side.apply(version2(reported(id)));
    expect((await inventory('peer')).buckets).toEqual(theirs.buckets);
  });
});

describe('the entries of a bucket', () => {
  it('come in pages, with tombstones and all stages', async () => {
    const packages = Array.from({ length: 600 }, (_, i) => published(`${i}.pkg`, { stage: i % 2 ? 'Dev' : 'Prod' }));
    await side.apply(...packages.map(({ event }) => event), ...packages.slice(0, 300).map(({ id }) => removal(id, 7)));
    const wanted = packages
      .map(({ id }) => id)
      .filter((id) => bucketOf(id) === 0x17)
      .toSorted();
    const entries = new InventoryEntriesHandler(side.dataSource);
    const seen: string[] = [];
    for (;;) {
      const page = await entries.execute(new InventoryEntriesQuery(0x17, seen.at(-1) ?? null, 2, OUR_COPIES));
      if (page.length === 0) break;
      seen.push(...page.map(({ packageId }) => packageId));
    }
    expect(seen).toEqual(wanted);
    const [first] = await entries.execute(
      new InventoryEntriesQuery(bucketOf(packages[0]?.id ?? ''), null, 1000, OUR_COPIES),
    );
    expect(first).toMatchObject({ publication: stamp(1), firstPublishedAt: Date.parse('2026-01-02T03:04:05Z') / 1000 });
  });
});

describe('the differences', () => {
  it('are what one side has and the other wants, and what was found, each package once', async () => {
    const here = published('here.pkg');
    const both = published('both.pkg');
    const there = published('there.pkg', { source: { kind: 'peer', peerId: PEER } });
    const dev = published('dev.pkg', { stage: 'Dev' });
    const nobody = published('nobody.pkg', { source: { kind: 'peer', peerId: PEER } });
    const all = [here, both, there, dev, nobody];
    await side.apply(...all.map(({ event }) => event), version2(reported(both.id)), version2(reported(there.id)));
    expect(await differences()).toBe(2);
    expect(await differences([here.id, nobody.id])).toBe(3);
    await side.apply(version2(reported(here.id)), removal(there.id, 8));
    expect(await differences()).toBe(0);
  });
});

describe('what is refused of what a peer tells', () => {
  const base = publication('x.pkg', { stage: 'Test' });
  const source = { kind: 'local' };
  const facts = { ...base, removal: null };
  const about = { packageId: base.packageId, filename: base.filename };
  const stageChanged = recorded('PackageStageChanged', {
    ...about,
    from: 'Test',
    to: 'Prod',
    stamp: stamp(9),
    source,
  });
  const publishedAgain = recorded('PackagePublished', { ...base, publication: stamp(9) });
  const publishedFirst = recorded('PackagePublished', { ...base, firstPublishedAt: '2025-01-01T00:00:00Z' });
  const xPublished = recorded('PackagePublished', base);
  const refusals = () => new RecordedRefusals(side.dataSource);
  type Told = Parameters<RecordedRefusals['note']>[1];
  const held = { verifiedAt: '2026-01-02T03:04:05.678Z', lineage: [] };

  const situations: [string, ReturnType<typeof recorded>[], ReturnType<typeof recorded>[], Told][] = [
    ['a package that is unknown here', [], [xPublished], { facts, held }],
    [
      'an unknown package that the peer does not hold',
      [],
      [xPublished, removal(base.packageId, 9)],
      {
        facts: { ...facts, removal: stamp(9) },
        held: null,
      },
    ],
    [
      'a stage',
      [xPublished],
      [xPublished, stageChanged],
      {
        facts: { ...facts, stage: 'Prod', stageStamp: stamp(9) },
        held,
      },
    ],
    [
      'a removal',
      [xPublished],
      [xPublished, removal(base.packageId, 9)],
      {
        facts: { ...facts, removal: stamp(9) },
        held: null,
      },
    ],
    [
      'another publication',
      [xPublished],
      [xPublished, publishedAgain],
      {
        facts: { ...facts, publication: stamp(9) },
        held,
      },
    ],
    [
      'an earlier first publication',
      [xPublished],
      [xPublished, publishedFirst],
      {
        facts: { ...facts, firstPublishedAt: '2025-01-01T00:00:00Z' },
        held,
      },
    ],
  ];

  it.each(situations)('makes no difference between the two: %s', async (_, ours, theirs, told) => {
    const doWeHold = ours.length > 0;
    await side.apply(...theirs, ...(doWeHold ? [version2(reported(base.packageId))] : []));
    const [theirOwn, asTheySeeUs] = [await inventory('us'), await inventory('peer')];
    const theirEntries = await entriesOf('us');
    await side.dataSource.query('TRUNCATE packages, replicas, replica_packages');
    await side.apply(...ours, ...(doWeHold && told.held ? [version2(reported(base.packageId))] : []));
    const before = await inventory('peer');
    await refusals().note(PEER, told);
    expect((await inventory('peer')).buckets).toEqual(theirOwn.buckets);
    expect((await inventory('us')).buckets).toEqual(asTheySeeUs.buckets);
    expect(await entriesOf('peer')).toEqual(theirEntries);
    const refused = await new RefusedPackagesHandler(side.dataSource).execute(new RefusedPackagesQuery(PEER, null, 10));
    expect(refused).toEqual([base.packageId]);
    expect((await inventory('us')).refused).toBe(digestOfIds(refused));
    expect(await differences()).toBe(0);
    await refusals().forgetAll();
    expect(await inventory('peer')).toEqual(before);
  });

  it('counts no more when it is known here', async () => {
    await side.apply(xPublished);
    await refusals().note(PEER, { facts: { ...facts, stage: 'Prod', stageStamp: stamp(9) }, held });
    expect((await inventory('us')).refused).not.toBe('');
    await side.apply(stageChanged);
    expect((await inventory('us')).refused).toBe('');
  });

  it('is no difference of the peer that knows it', async () => {
    const known = [published('a.pkg'), published('b.pkg'), published('c.pkg')];
    await side.apply(...known.map(({ event }) => event));
    expect(await differences()).toBe(3);
    const ids = known.map(({ id }) => id).toSorted();
    await refusals().noteRefusedByPeer(PEER, ids.slice(0, 2));
    await refusals().noteRefusedByPeer('another', ids);
    expect(await differences()).toBe(1);
    await refusals().noteRefusedByPeer(PEER, ids.slice(1));
    expect(await refusals().findRefusedByPeer(PEER)).toEqual(ids.slice(1));
  });

  const entriesOf = (holder: 'us' | 'peer') =>
    new InventoryEntriesHandler(side.dataSource).execute(
      new InventoryEntriesQuery(bucketOf(base.packageId), null, 100, { peerId: PEER, holder }),
    );
});
