import type { CommandBus } from '@nestjs/cqrs';
import { describe, expect, it, vi } from 'vitest';
import { OPEN_POLICY, type PeerPolicy, WEEKDAYS } from '../../../kernel/transfer-policy.js';
import { addRange, type ChunkRange } from '../../../kernel/chunk-ranges.js';
import type { JobQueue, NewJob } from '../../../ports/job-queue.port.js';
import { StorageFull, type PackageStorage, type ReplicaFile } from '../../../ports/package-storage.port.js';
import type { ServerIdentity } from '../../../ports/server-identity.port.js';
import type { PeerContact, PeerDirectory } from '../../../ports/peer-directory.port.js';
import { PeerUnreachable, type ChunkResult, type PeerTransport } from '../../../ports/peer-transport.port.js';
import { DelayReplica, type FetchPlan, PlanFetch, RecordChunks } from './replica-progress.command.js';
import type { ChunkDigests, RunningDigests } from './package-digests.js';
import { Delays } from './delays.js';
import { FetchChunksWorker } from './fetch-chunks.job.js';
import type { ReplicaPublisher } from './publish-replica.job.js';
import { Sources } from './sources.js';
import { ChunkArrivals, ChunkFetch, RangeFetcher } from './chunk-fetch.js';

const plan: FetchPlan = {
  packageId: 'p',
  filename: 'Foo.pkg',
  size: 20 << 20,
  sha256: 'aa',
  chunkCount: 20,
  round: 3,
  verified: [],
  holders: ['a', 'b', 'gone', 'quiet'].map((peerId) => ({ peerId, whole: true, downstream: false })),
};
const alone: FetchPlan = { ...plan, holders: plan.holders.slice(0, 1) };
const contact = (peerId: string): PeerContact => ({
  peerId,
  name: `Server ${peerId}`,
  url: 'http://x',
  publicKey: 'k',
  suspended: peerId === 'quiet',
  policy: OPEN_POLICY,
});

/** A time window that opens in about half a day. */
function closedNow(): Partial<PeerPolicy> {
  const at = new Date(Date.now() + 12 * 3_600_000);
  const hour = String(at.getHours()).padStart(2, '0');
  return {
    receive: { bytesPerSecond: null, windows: [{ days: [...WEEKDAYS], from: `${hour}:00`, to: `${hour}:01` }] },
  };
}

interface World {
  plan?: FetchPlan | null;
  result?: (range: ChunkRange, peerId: string) => ChunkResult | Promise<ChunkResult> | undefined;
  /** What peers that fetch the package say that they have. */
  known?: readonly ChunkRange[];
  reserve?: () => Promise<ReplicaFile>;
  policy?: (peerId: string) => Partial<PeerPolicy>;
}

function setUp(world: World = {}) {
  let verified: readonly ChunkRange[] = (world.plan ?? plan).verified;
  const told: object[] = [];
  const asked: string[] = [];
  const queued: NewJob[] = [];
  const published: string[] = [];
  const execute = async (command: object) => {
    if (command instanceof PlanFetch) return world.plan === null ? null : { ...(world.plan ?? plan), verified };
    told.push(command);
    if (command instanceof RecordChunks)
      verified = command.arrival.verified.reduce<readonly ChunkRange[]>(addRange, verified);
    return verified;
  };
  const fetchChunks = async (peer: PeerContact, { range }: { range: ChunkRange }): Promise<ChunkResult> => {
    asked.push(`${peer.peerId} ${range.first}+${range.count}`);
    return (await world.result?.(range, peer.peerId)) ?? { verified: [range], rejected: [], error: null };
  };
  const policyOf = (peerId: string): PeerPolicy => ({ ...OPEN_POLICY, ...world.policy?.(peerId) });
  const find = async (peerId: string) => (peerId === 'gone' ? null : { ...contact(peerId), policy: policyOf(peerId) });
  // Each fake has what the worker calls.
  const fake = <T>(parts: object) => parts as unknown as T;
  const commands = fake<CommandBus>({ execute });
  const transport = fake<PeerTransport>({ fetchChunks, get: async () => ({ verified: world.known ?? [] }) });
  const sources = new Sources(fake<PeerDirectory>({ find }), transport);
  const digests = fake<ChunkDigests>({ digestsOf: async () => Buffer.alloc(0) });
  const arrivals = new ChunkArrivals(commands, fake<RunningDigests>({ advance: vi.fn<() => void>() }));
  const queue = fake<JobQueue>({ enqueue: async (jobs: NewJob[]) => void queued.push(...jobs) });
  const worker = new FetchChunksWorker(
    commands,
    queue,
    fake<PackageStorage>({ reserveReplica: world.reserve ?? (async () => fake<ReplicaFile>({})) }),
    fake<ServerIdentity>({ serverId: 'own' }),
    sources,
    new RangeFetcher(commands, sources, new ChunkFetch(transport, sources, digests, arrivals)),
    new Delays(commands, queue),
    fake<ReplicaPublisher>({ publishReplica: async (packageId: string) => void published.push(packageId) }),
  );
  const run = (first: number, attempt = 1, lane = true) => {
    const data = { packageId: 'p', first, count: 16, lane };
    return worker.handle({
      name: 'fetch-chunks',
      key: `k${first}`,
      data,
      attempt,
      signal: new AbortController().signal,
      showProgress: async () => undefined,
    });
  };
  return { run, told, asked, queued, published };
}

describe('a job for a chunk range', () => {
  it('fetches what is missing of it, and records it for the round that it was planned in', async () => {
    const { run, told, asked } = setUp({ plan: { ...alone, verified: [{ first: 2, count: 3 }] } });
    await run(0);
    expect(asked).toEqual(['a 0+2', 'a 5+11']);
    expect(told[0]).toMatchObject({
      arrival: { packageId: 'p', round: 3, from: { peerId: 'a', peerName: 'Server a' } },
    });
  });

  it('does nothing for a replica that is not pending', async () => {
    const { run, told, asked, queued } = setUp({ plan: null });
    await run(0);
    expect([told, asked, queued]).toEqual([[], [], []]);
  });

  it('publishes when nothing is missing', async () => {
    const { run, asked, queued, published } = setUp({ plan: { ...plan, verified: [{ first: 0, count: 20 }] } });
    await run(16);
    expect(asked).toEqual([]);
    expect(queued).toEqual([]);
    expect(published).toEqual(['p']);
  });

  it('keeps a job that was woken while it runs for later: the running one may still fail', async () => {
    let end: (result: ChunkResult) => void = () => undefined;
    const { run, asked, queued } = setUp({ plan: alone, result: () => new Promise((resolve) => (end = resolve)) });
    const first = run(0);
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    await run(0);
    expect(asked).toHaveLength(1);
    expect(queued).toMatchObject([
      { name: 'fetch-chunks', key: 'k0', data: { first: 0, count: 16 }, runAt: expect.any(Date) },
    ]);
    end({ verified: [], rejected: [], error: new PeerUnreachable('Server a', 'the connection was reset') });
    await expect(first).rejects.toThrow(PeerUnreachable);
  });

  it('goes on with another source within the same try, and notes nothing', async () => {
    const error = new PeerUnreachable('Server a', 'the connection was reset');
    const { run, asked, told } = setUp({
      result: (part, peerId) =>
        peerId === 'a' ? { verified: [{ first: part.first, count: 3 }], rejected: [], error } : undefined,
    });
    await run(0);
    expect(asked).toEqual(['a 0+16', 'b 3+13']);
    expect(told.map((command) => command.constructor.name)).toEqual(['RecordChunks', 'RecordChunks']);
  });

  it('fetches a chunk that was rejected from another source at once, and asks that one last from then on', async () => {
    const rejected = [{ index: 2, expected: 'e', actual: 'f' }];
    const { run, asked } = setUp({
      result: ({ first }, peerId) =>
        peerId === 'a'
          ? {
              verified: [
                { first, count: 2 },
                { first: 3, count: 13 },
              ],
              rejected,
              error: null,
            }
          : undefined,
    });
    await run(0);
    await run(16);
    expect(asked).toEqual(['a 0+16', 'b 2+1', 'b 16+4']);
  });

  it('leaves a chunk that every source sent wrong to its own job', async () => {
    const { run, asked, queued } = setUp({
      plan: alone,
      result: ({ first }) => ({
        verified: [{ first, count: 15 }],
        rejected: [{ index: first + 15, expected: 'e', actual: 'f' }],
        error: null,
      }),
    });
    await run(0);
    expect(asked).toEqual(['a 0+16']);
    expect(queued).toEqual([]);
  });

  it('records what arrived before an error, then notes why and fails when no source is left', async () => {
    const error = new PeerUnreachable('Server a', 'answered 404', 404, 'PACKAGE_NOT_FOUND');
    const { run, told, asked } = setUp({
      result: ({ first }) => ({ verified: [{ first, count: 1 }], rejected: [], error }),
    });
    await expect(run(0)).rejects.toBe(error);
    expect(asked).toEqual(['a 0+16', 'b 1+15']);
    expect(told[0]).toBeInstanceOf(RecordChunks);
    expect(told[2]).toEqual(new DelayReplica('p', 'PEER_LACKS_PACKAGE', 'Server a no longer has Foo.pkg.', 'a'));
  });

  it('does not ask a peer again that does not have the package', async () => {
    const lacks = new PeerUnreachable('Server a', 'answered 404', 404, 'PACKAGE_NOT_FOUND');
    const { run, asked } = setUp({
      result: (_, peerId) => (peerId === 'a' ? { verified: [], rejected: [], error: lacks } : undefined),
    });
    await run(0);
    await run(16);
    expect(asked).toEqual(['a 0+16', 'b 0+16', 'b 16+4']);
  });

  it('is put off when the only peers fetch the package themselves and have nothing yet', async () => {
    const pending = new PeerUnreachable('Server a', 'answered 503', 503, 'CHUNKS_PENDING');
    const partial = { ...plan, holders: [{ peerId: 'a', whole: false, downstream: false }] };
    const { run, told, queued } = setUp({
      plan: partial,
      result: () => ({ verified: [], rejected: [], error: pending }),
    });
    await run(0);
    expect(told).toMatchObject([{ code: 'CHUNKS_PENDING' }]);
    expect(queued).toMatchObject([{ key: 'k0', runAt: expect.any(Date) }]);
  });

  it('takes the range that a peer has, when no other has the whole', async () => {
    const partial = {
      ...plan,
      chunkCount: 120,
      size: 120 << 20,
      holders: [{ peerId: 'a', whole: false, downstream: false }],
    };
    const { run, asked, queued } = setUp({ plan: partial, known: [{ first: 96, count: 16 }] });
    await run(0);
    expect(asked).toEqual(['a 96+16']);
    expect(queued).toMatchObject([{ data: { first: 0 } }]);
  });

  it('ends in silence when the replica was withdrawn or asked for anew meanwhile: its file is gone', async () => {
    for (const later of [null, { ...plan, round: 4 }]) {
      const world: World = {
        reserve: async () => {
          world.plan = later;
          throw new Error('ENOENT');
        },
      };
      const { run, told, queued } = setUp(world);
      await run(0);
      expect([told, queued]).toEqual([[], []]);
    }
  });

  it('notes a full disk and peers that are all gone', async () => {
    const full = setUp({ reserve: async () => Promise.reject(new StorageFull(1)) });
    await expect(full.run(0)).rejects.toThrow(StorageFull);
    expect(full.told).toMatchObject([{ code: 'INSUFFICIENT_STORAGE' }]);
    const unknown = setUp({ plan: { ...plan, holders: plan.holders.slice(2) } });
    await expect(unknown.run(0)).rejects.toThrow(/No registered server/);
    expect(unknown.told).toMatchObject([{ code: 'NO_SOURCE' }]);
  });

  it('takes nothing from a peer that is SEND_ONLY or outside of its time window, while another has it', async () => {
    for (const policy of [{ direction: 'SEND_ONLY' } as const, closedNow()]) {
      const { run, asked } = setUp({ policy: (peerId) => (peerId === 'a' ? policy : {}) });
      await run(0);
      expect(asked).toEqual(['b 0+16']);
    }
  });

  it('waits for the first time window to open, without trying again until then', async () => {
    const { run, told, asked, queued } = setUp({ policy: closedNow });
    await run(0);
    expect([asked, told]).toMatchObject([
      [],
      [{ code: 'OUTSIDE_WINDOW', reason: expect.stringMatching(/opens at 20\d\d-/) }],
    ]);
    expect(queued).toMatchObject([{ name: 'wake-replicas', runAt: expect.any(Date) }, { name: 'wake-replicas' }]);
    const hours = ((queued[0]?.runAt?.getTime() ?? 0) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(10);
  });

  it('has no source when it takes nothing from any peer', async () => {
    const { run, told } = setUp({ policy: () => ({ direction: 'SEND_ONLY' }) });
    await expect(run(0)).rejects.toThrow(/from which this server takes packages/);
    expect(told).toMatchObject([{ code: 'NO_SOURCE' }]);
  });

  it('asks a peer that is outside of its own time window again after some minutes when nobody else has the package', async () => {
    const error = new PeerUnreachable('Server a', 'answered 503 OUTSIDE_WINDOW', 503, 'OUTSIDE_WINDOW', 7_200);
    const { run, told, queued } = setUp({ plan: alone, result: () => ({ verified: [], rejected: [], error }) });
    await run(0);
    expect(told).toMatchObject([
      { code: 'OUTSIDE_WINDOW', reason: expect.stringMatching(/^Server a sends no packages .* opens at 20/) },
    ]);
    expect(queued[0]).toMatchObject({ name: 'wake-replicas' });
    const minutes = ((queued[0]?.runAt?.getTime() ?? 0) - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(3);
    expect(minutes).toBeLessThan(7);
  });

  it('says in words why a peer refuses it for good', async () => {
    const error = new PeerUnreachable('Server a', 'answered 403 PEER_NOT_SERVED', 403, 'PEER_NOT_SERVED');
    const { run, told } = setUp({ plan: alone, result: () => ({ verified: [], rejected: [], error }) });
    await expect(run(0)).rejects.toBe(error);
    expect(told).toMatchObject([
      { code: 'PEER_UNREACHABLE', reason: expect.stringMatching(/^Server a: it sends nothing to this server/) },
    ]);
  });
});
