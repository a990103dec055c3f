import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReplicaView } from '../../../src/modules/replication/contracts/replica-view.js';
import { ReplicasHandler, ReplicasQuery } from '../../../src/modules/replication/read-model/replicas.query.js';
import {
  ReplicasToReviewHandler,
  ReplicasToReviewQuery,
  UnfinishedReplicasHandler,
  UnfinishedReplicasQuery,
  WithdrawnReplicasHandler,
  WithdrawnReplicasQuery,
} from '../../../src/modules/replication/read-model/own-replicas.query.js';
import { OWN_SERVER, PEER, publication, ReadSide, recorded, stamp } from '../../support/read-side.js';

let side: ReadSide;
beforeAll(async () => {
  side = await ReadSide.open();
});
afterAll(() => side.close());
beforeEach(() => side.dataSource.query('TRUNCATE replicas, replica_packages, replica_servers'));

/** 2 chunks and 100 bytes. */
const SIZE = 2 * 1_048_576 + 100;
const known = publication('app.pkg', { size: SIZE, source: { kind: 'peer', peerId: PEER } });
const { packageId, filename, sha256 } = known;
const learnt = recorded('PackagePublished', known);
const peer = recorded('PeerRegistered', { peerId: PEER, name: 'There', url: 'u', publicKey: 'k', invitationId: 'i' });
const requested = (keepsChunks = false) =>
  recorded('ReplicaRequested', {
    packageId,
    filename,
    size: SIZE,
    sha256,
    chunkCount: 3,
    fromPeerId: PEER,
    retry: keepsChunks,
    keepsChunks,
  });
const verified = (first: number, count: number, remaining = 1) =>
  recorded('ChunksVerified', { packageId, first, count, fromPeerId: PEER, remaining });
const rejected = recorded('ChunkRejected', {
  packageId,
  index: 1,
  fromPeerId: PEER,
  expected: 'e',
  actual: 'a',
  times: 1,
});
const failed = recorded('ReplicaFailed', { packageId, filename, code: 'CHUNK_REJECTED', reason: 'damaged' });
const finished = recorded('ReplicaPublished', { packageId, filename, size: SIZE, sha256 });

async function replicas(): Promise<readonly ReplicaView[]> {
  return (await new ReplicasHandler(side.dataSource).execute(new ReplicasQuery([packageId])))[0] ?? [];
}

const unfinished = () => new UnfinishedReplicasHandler(side.dataSource).execute(new UnfinishedReplicasQuery());

describe('our own replica', () => {
  it('counts verified chunks and bytes, the short last chunk too', async () => {
    const keys = await side.apply(learnt, peer, requested(), verified(2, 1), rejected, verified(0, 1));
    expect(keys['replicas']).toEqual([`${packageId}/${OWN_SERVER}`]);
    expect(await replicas()).toMatchObject([
      {
        local: true,
        state: 'FETCHING',
        size: SIZE,
        chunkCount: 3,
        verifiedChunks: 2,
        verifiedBytes: 1_048_576 + 100,
        verifiedRuns: [
          { first: 0, count: 1 },
          { first: 2, count: 1 },
        ],
        rejectedChunks: 1,
        progress: 2 / 3,
        sourcePeer: { id: PEER, name: 'There' },
        publishedAt: null,
      },
    ]);
    expect(await unfinished()).toMatchObject([
      { packageId, missing: [{ first: 1, count: 1 }], fromPeerId: PEER, failed: false },
    ]);
  });

  it('ends up the same whether its events come in one page or one by one', async () => {
    const events = [learnt, peer, requested(), verified(0, 1), rejected, failed, requested(true), verified(1, 2, 0)];
    await side.apply(...events);
    const inOne = await replicas();
    await side.dataSource.query('TRUNCATE replicas, replica_packages, replica_servers');
    for (const event of events) await side.apply(event);
    expect(await replicas()).toEqual(inOne);
  });

  it('shows why it failed, keeps its chunks for the retry, and forgets the failure then', async () => {
    await side.apply(learnt, peer, requested(), verified(0, 2), failed);
    expect(await replicas()).toMatchObject([
      { state: 'FAILED', failure: { code: 'CHUNK_REJECTED', reason: 'damaged' } },
    ]);
    expect(await unfinished()).toMatchObject([{ failed: true, missing: [{ first: 2, count: 1 }] }]);
    await side.apply(requested(true));
    expect(await replicas()).toMatchObject([{ state: 'REQUESTED', failure: null, lastError: null, verifiedChunks: 2 }]);
  });

  it('goes back to fetching when chunks turn out to be lost, and says so', async () => {
    const lost = recorded('ChunksLost', {
      packageId,
      filename,
      chunkCount: 3,
      runs: [
        { first: 0, count: 1 },
        { first: 2, count: 1 },
      ],
    });
    await side.apply(learnt, peer, requested(), verified(0, 3, 0), lost);
    expect(await replicas()).toMatchObject([
      {
        state: 'FETCHING',
        verifiedChunks: 1,
        verifiedBytes: 1_048_576,
        failure: null,
        lastError: expect.stringContaining('damaged chunks: 2'),
      },
    ]);
    expect(await unfinished()).toMatchObject([
      {
        failed: false,
        missing: [
          { first: 0, count: 1 },
          { first: 2, count: 1 },
        ],
      },
    ]);
  });

  it('is whole once published, and no longer unfinished', async () => {
    await side.apply(learnt, requested(), verified(0, 3, 0), finished);
    expect(await replicas()).toMatchObject([
      { state: 'PUBLISHED', progress: 1, verifiedBytes: SIZE, verifiedChunks: 3 },
    ]);
    expect(await unfinished()).toEqual([]);
  });

  it('is there at once for an upload, and gone with the package', async () => {
    const uploaded = { ...known, source: { kind: 'local' as const } };
    await side.apply(recorded('PackagePublished', uploaded));
    expect(await replicas()).toMatchObject([{ local: true, state: 'PUBLISHED', verifiedBytes: SIZE }]);
    await side.apply(recorded('PackageRemoved', { packageId, filename, stamp: stamp(9), source: { kind: 'local' } }));
    expect(await replicas()).toMatchObject([{ state: 'WITHDRAWN', progress: 0 }]);
  });

  it('says what delays it until chunks come again', async () => {
    const delayed = recorded('ReplicaDelayed', {
      packageId,
      code: 'STORAGE_FULL',
      reason: 'no room',
      fromPeerId: null,
    });
    await side.apply(learnt, requested(), delayed);
    expect(await replicas()).toMatchObject([
      { state: 'REQUESTED', delay: { code: 'STORAGE_FULL', reason: 'no room' } },
    ]);
    await side.apply(verified(0, 1));
    expect(await replicas()).toMatchObject([{ delay: null }]);
  });
});

describe('copies on peers', () => {
  const reported = { packageId, peerId: PEER, peerName: 'There', verifiedAt: '2026-01-02T00:00:00.000Z' };

  it('come after ours, under the name that the peer has now', async () => {
    await side.apply(learnt, recorded('ReplicaReported', reported), requested());
    await side.apply(recorded('PeerSettingsChanged', { peerId: PEER, name: 'Over there', url: 'u' }));
    expect(await replicas()).toMatchObject([
      { local: true, server: { id: OWN_SERVER } },
      { local: false, state: 'PUBLISHED', server: { id: PEER, name: 'Over there' }, size: SIZE, progress: 1 },
    ]);
    await side.apply(recorded('ReplicaUnreported', { packageId, peerId: PEER, peerName: 'There' }));
    expect((await replicas())[1]).toMatchObject({ state: 'WITHDRAWN' });
  });
});

describe('a withdrawn replica', () => {
  const withdrawn = (reason: string) =>
    recorded('ReplicaWithdrawn', { packageId, filename, reason }, new Date('2026-02-01T00:00:00.000Z'));
  const since = (from: Date | null = null) =>
    new WithdrawnReplicasHandler(side.dataSource).execute(new WithdrawnReplicasQuery(from));
  const toReview = (after: string | null = null) =>
    new ReplicasToReviewHandler(side.dataSource).execute(new ReplicasToReviewQuery(after, 10));

  it('is kept in mind while its stage is the reason, until it is there again', async () => {
    await side.apply(learnt, requested(), verified(0, 3, 0), finished);
    expect([await since(), await toReview()]).toEqual([[], [packageId]]);
    await side.apply(withdrawn('stage'));
    expect(await since()).toEqual([{ packageId, since: new Date('2026-02-01T00:00:00.000Z') }]);
    expect(await since(new Date('2026-02-01T00:00:01.000Z'))).toEqual([]);
    expect([await toReview(), await toReview(packageId)]).toEqual([[packageId], []]);
    await side.apply(requested(), finished);
    expect(await since()).toEqual([]);
  });

  it('is over when its package was removed', async () => {
    await side.apply(learnt, requested(), finished, withdrawn('removed'));
    expect([await since(), await toReview()]).toEqual([[], []]);
  });
});

describe('the way of a copy', () => {
  const origin = { serverId: 'origin', name: 'Origin', verifiedAt: '2026-01-01T00:00:00.000Z' };
  const viaPeer = (verifiedAt: string | null) => {
    const record = recorded('ReplicaReported', {
      packageId,
      peerId: PEER,
      peerName: 'There',
      verifiedAt,
      lineage: [origin],
    });
    return { ...record, metadata: { ...record.metadata, schemaVersion: 2 } };
  };
  const steps = async () =>
    (await replicas())[0]?.lineage.map(({ server, verifiedAt }) => [
      server.name,
      verifiedAt?.toISOString().slice(0, 10),
    ]);

  it('goes through the peer that most of it came from, and ends here', async () => {
    await side.apply(learnt, peer, viaPeer('2026-01-02T00:00:00.000Z'), requested(), verified(0, 3, 0));
    expect(await steps()).toEqual([]);
    await side.apply(finished);
    expect(await steps()).toEqual([
      ['Origin', '2026-01-01'],
      ['There', '2026-01-02'],
      [OWN_SERVER, '2026-01-02'],
    ]);
    expect((await replicas())[1]?.lineage.map(({ server }) => server.name)).toEqual(['Origin', 'There']);
  });

  it('learns later when a peer had it whole that passed it on before', async () => {
    await side.apply(learnt, peer, viaPeer(null), requested(), verified(0, 3, 0), finished);
    expect((await steps())?.[1]).toEqual(['There', undefined]);
    await side.apply(viaPeer('2026-01-03T00:00:00.000Z'));
    expect((await steps())?.[1]).toEqual(['There', '2026-01-03']);
  });

  it('stays that of the bytes when a file is taken back, and is our own after an upload', async () => {
    await side.apply(learnt, peer, viaPeer('2026-01-02T00:00:00.000Z'), requested(), verified(0, 3, 0), finished);
    await side.apply(recorded('ReplicaWithdrawn', { packageId, filename, reason: 'stage' }), requested(), finished);
    expect((await steps())?.map(([name]) => name)).toEqual(['Origin', 'There', OWN_SERVER]);
    await side.apply(recorded('PackagePublished', { ...known, source: { kind: 'local' } }));
    expect((await steps())?.map(([name]) => name)).toEqual([OWN_SERVER]);
  });
});

it('looks up any number of packages in three statements', async () => {
  await side.apply(learnt, peer, requested());
  const ids = [packageId, ...Array.from({ length: 50 }, (_, i) => publication(`p${i}`).packageId)];
  const handler = new ReplicasHandler(side.dataSource);
  expect(await side.statements(() => handler.execute(new ReplicasQuery(ids)))).toBe(3);
});
