import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PackagesByIdQuery, PublishedFileQuery } from '../../../src/modules/packages/contracts/package-queries.js';
import { ChunksHandler, ChunksQuery } from '../../../src/modules/packages/read-model/chunks.query.js';
import {
  SupersededPackagesHandler,
  SupersededPackagesQuery,
} from '../../../src/modules/packages/read-model/superseded-packages.query.js';
import {
  PackagesByIdHandler,
  PublishedFileHandler,
  ServedPackagesHandler,
  ServedPackagesQuery,
} from '../../../src/modules/packages/read-model/package-lookup.query.js';
import { OWN_SERVER, PEER, publication, ReadSide, recorded, stamp } from '../../support/read-side.js';

let side: ReadSide;
beforeAll(async () => {
  side = await ReadSide.open();
});
afterAll(() => side.close());
beforeEach(() => side.dataSource.query('TRUNCATE packages, serving_stage, chunk_pages'));

const server = { serverId: OWN_SERVER, name: 'Here', url: 'http://here', publicKey: 'k' };
const serves = (stage: string) => recorded('ServerInitialised', { ...server, stage });
const fromPeer = { kind: 'peer', peerId: PEER } as const;

async function stateOf(id: string): Promise<string | undefined> {
  const [found] = await new PackagesByIdHandler(side.dataSource).execute(new PackagesByIdQuery([id]));
  return found?.state;
}

async function served(filename: string): Promise<string | undefined> {
  const found = await new PublishedFileHandler(side.dataSource).execute(new PublishedFileQuery({ filename }));
  return found?.packageId;
}

describe('which package a filename serves', () => {
  const older = publication('app.pkg', { time: 1, sha256: '1'.repeat(64) });
  const newer = publication('app.pkg', { time: 2, sha256: '2'.repeat(64) });

  it.each([
    ['in the order of their stamps', [older, newer]],
    ['when news comes late', [newer, older]],
  ])('is the one published last, %s', async (_, order) => {
    await side.apply(serves('Prod'), ...order.map((data) => recorded('PackagePublished', data)));
    expect(await served('app.pkg')).toBe(newer.packageId);
    expect(await stateOf(older.packageId)).toBe('SUPERSEDED');
  });

  it('tells who is superseded by whom, asked about either of them', async () => {
    await side.apply(serves('Prod'), recorded('PackagePublished', older));
    const ask = (id: string) => new SupersededPackagesHandler(side.dataSource).execute(new SupersededPackagesQuery(id));
    expect(await ask(older.packageId)).toBeNull();
    await side.apply(recorded('PackagePublished', newer));
    const told = { packageIds: [older.packageId], by: { packageId: newer.packageId, publication: newer.publication } };
    expect([await ask(older.packageId), await ask(newer.packageId)]).toEqual([told, told]);
    const now = await new ServedPackagesHandler(side.dataSource).execute(
      new ServedPackagesQuery(['app.pkg', 'none.pkg']),
    );
    expect(now.map((found) => found?.id)).toEqual([newer.packageId, undefined]);
  });

  it('comes out the same when the events come one by one', async () => {
    for (const data of [newer, older]) await side.apply(recorded('PackagePublished', data));
    expect(await served('app.pkg')).toBe(newer.packageId);
  });

  it('falls back to the earlier one when the later is removed, and names both as changed', async () => {
    await side.apply(serves('Prod'), recorded('PackagePublished', older), recorded('PackagePublished', newer));
    const source = { kind: 'local' } as const;
    const removal = { packageId: newer.packageId, filename: 'app.pkg', stamp: stamp(3), source };
    const keys = await side.apply(recorded('PackageRemoved', removal));
    expect(await served('app.pkg')).toBe(older.packageId);
    expect(await stateOf(newer.packageId)).toBe('REMOVED');
    expect(new Set(keys['packages'])).toEqual(new Set([older.packageId, newer.packageId]));
  });

  it('ignores a package that is only known from a peer until its replica is published', async () => {
    const theirs = { ...newer, source: fromPeer };
    await side.apply(serves('Prod'), recorded('PackagePublished', older), recorded('PackagePublished', theirs));
    expect(await stateOf(newer.packageId)).toBe('ANNOUNCED');
    const { packageId, filename, size, sha256, chunkCount } = newer;
    const content = {
      packageId,
      filename,
      size,
      sha256,
      chunkCount,
      fromPeerId: PEER,
      retry: false,
      keepsChunks: false,
    };
    await side.apply(recorded('ReplicaRequested', content));
    expect(await stateOf(packageId)).toBe('REPLICATING');
    expect(await served('app.pkg')).toBe(older.packageId);
    await side.apply(recorded('ReplicaPublished', { packageId, filename, size, sha256 }));
    expect(await served('app.pkg')).toBe(packageId);
    await side.apply(recorded('ReplicaWithdrawn', { packageId, filename, reason: 'stage' }));
    expect(await served('app.pkg')).toBe(older.packageId);
  });
});

describe('stages', () => {
  it('withhold what does not reach this server, and show it again', async () => {
    const dev = publication('dev.pkg', { stage: 'Dev' });
    await side.apply(serves('Test'), recorded('PackagePublished', dev));
    expect(await stateOf(dev.packageId)).toBe('WITHHELD');
    expect(await served('dev.pkg')).toBeUndefined();
    const keys = await side.apply(
      recorded('ServerSettingsChanged', { name: 'Here', url: 'http://here', stage: 'Dev' }),
    );
    expect(await served('dev.pkg')).toBe(dev.packageId);
    expect(keys['packages']).toEqual([dev.packageId]);
    const { packageId } = dev;
    await side.apply(serves('Prod'));
    expect(await served('dev.pkg')).toBeUndefined();
    const promotion = {
      packageId,
      filename: 'dev.pkg',
      from: 'Dev',
      to: 'Prod',
      stamp: stamp(9),
      source: { kind: 'local' },
    };
    await side.apply(recorded('PackageStageChanged', promotion));
    expect(await served('dev.pkg')).toBe(packageId);
  });
});

describe('removal', () => {
  it('does not win over a later publication, and a late one forgets the bytes', async () => {
    const { packageId, filename, ...data } = publication('gone.pkg', { time: 5 });
    const removed = (time: number) =>
      recorded('PackageRemoved', { packageId, filename, stamp: stamp(time), source: fromPeer });
    await side.apply(recorded('PackagePublished', { packageId, filename, ...data }), removed(4));
    expect(await stateOf(packageId)).toBe('AVAILABLE');
    await side.apply(removed(6));
    const again = { ...data, packageId, filename, publication: stamp(7), source: fromPeer };
    await side.apply(recorded('PackagePublished', again));
    // Published again elsewhere: our own bytes were deleted with the removal.
    expect(await stateOf(packageId)).toBe('ANNOUNCED');
  });
});

describe('what a download needs', () => {
  it('is told with Last-Modified in whole seconds', async () => {
    const data = publication('a b.pkg', { size: 5_000_000_000, sha256: 'f'.repeat(64) });
    await side.apply(recorded('PackagePublished', data));
    const query = new PublishedFileQuery({ packageId: data.packageId });
    expect(await new PublishedFileHandler(side.dataSource).execute(query)).toEqual({
      packageId: data.packageId,
      damaged: false,
      filename: 'a b.pkg',
      size: 5_000_000_000,
      sha256: 'f'.repeat(64),
      lastModified: '2026-01-02T03:04:05Z',
    });
  });

  it('gets another date with each content that the filename shows, also with one that was there before', async () => {
    const second = 1_000;
    const [v1, v2] = [
      publication('dated.pkg', { sha256: 'a'.repeat(64), time: 0 }),
      publication('dated.pkg', { sha256: 'b'.repeat(64), time: 10 * second }),
    ];
    const shown = async () => {
      const file = await new PublishedFileHandler(side.dataSource).execute(
        new PublishedFileQuery({ filename: 'dated.pkg' }),
      );
      return file && [file.packageId, Date.parse(file.lastModified) - 1_700_000_000_000];
    };
    await side.apply(recorded('PackagePublished', v1));
    expect(await shown()).toEqual([v1.packageId, 0]);
    const fromPeer = { ...v2, source: { kind: 'peer' as const, peerId: PEER } };
    await side.apply(recorded('PackagePublished', fromPeer));
    // The date of what is awaited, less a second.
    expect(await shown()).toEqual([v1.packageId, 9 * second]);
    const { packageId, filename, size, sha256 } = v2;
    await side.apply(recorded('ReplicaPublished', { packageId, filename, size, sha256 }));
    expect(await shown()).toEqual([packageId, 10 * second]);
    const change = { packageId, filename, source: { kind: 'local' }, by: null, proof: null };
    await side.apply(
      recorded('PackageStageChanged', { ...change, from: 'Prod', to: 'Dev', stamp: stamp(20 * second) }),
    );
    await side.apply(recorded('PackageRemoved', { ...change, stamp: stamp(30 * second) }));
    expect(await shown()).toEqual([v1.packageId, 30 * second]);
    const again = { ...v1, publication: stamp(40 * second) };
    await side.apply(recorded('PackagePublished', again));
    expect(await shown()).toEqual([v1.packageId, 40 * second]);
  });
});

describe('chunks', () => {
  const id = publication('big.pkg').packageId;
  const digest = (index: number, bytes: number): Buffer => Buffer.alloc(bytes, index % 251);
  const page = (first: number, count: number) => {
    const all = (bytes: number) =>
      Buffer.concat(Array.from({ length: count }, (_, i) => digest(first + i, bytes))).toString('base64');
    return recorded('PackageChunksHashed', { packageId: id, first, count, sha1: all(20), sha256: all(32) });
  };

  it('are read across pages, for several windows in one statement', async () => {
    await side.apply(page(0, 512), page(512, 512), page(1024, 10));
    const windows = [
      { packageId: id, from: 510, count: 4 },
      { packageId: id, from: 1030, count: 100 },
      { packageId: publication('other').packageId, from: 0, count: 3 },
    ];
    const handler = new ChunksHandler(side.dataSource);
    expect(await side.statements(() => handler.execute(new ChunksQuery(windows)))).toBe(1);
    const [across, end, unknown] = await handler.execute(new ChunksQuery(windows));
    expect(across?.map(({ index }) => index)).toEqual([510, 511, 512, 513]);
    expect(end?.map(({ index }) => index)).toEqual([1030, 1031, 1032, 1033]);
    expect(unknown).toEqual([]);
    expect(across?.[2]).toEqual({
      index: 512,
      sha1: digest(512, 20).toString('hex'),
      sha256: digest(512, 32).toString('hex'),
    });
  });
});
