import type { CommandBus } from '@nestjs/cqrs';
import type { Socket } from 'node:net';
import { beforeEach, expect, it } from 'vitest';
import { CHUNK_SIZE, addRange, type ChunkRange } from '../../../src/kernel/chunk-ranges.js';
import {
  type FetchPlan,
  PlanFetch,
  RecordChunks,
} from '../../../src/modules/replication/fetch/replica-progress.command.js';
import type { ChunkDigests, RunningDigests } from '../../../src/modules/replication/fetch/package-digests.js';
import { ChunkArrivals, ChunkFetch, RangeFetcher } from '../../../src/modules/replication/fetch/chunk-fetch.js';
import { Sources } from '../../../src/modules/replication/fetch/sources.js';
import type { PeerDirectory } from '../../../src/ports/peer-directory.port.js';
import {
  bytes,
  damaged,
  digests,
  good,
  headFor,
  request,
  SIZE,
  stageEachTest,
  written,
} from '../../support/chunk-scene.js';
import { peer, rangeOf, serve, transport, type Answer } from '../../support/scripted-peer.js';

stageEachTest();

const ALL: ChunkRange = { first: 0, count: 4 };
let verified: readonly ChunkRange[] = [];
let from: string[] = [];
beforeEach(() => {
  verified = [];
  from = [];
});

const json = (status: number, body: object): string => {
  const text = JSON.stringify(body);
  return `HTTP/1.1 ${status} X\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
};

/** Fetches the whole package from these peers, the first of which is asked first. Those of `partial` fetch it themselves. */
async function fetchFrom(answers: Readonly<Record<string, Answer>>, partial: readonly string[] = []): Promise<Sources> {
  const contacts = new Map<string, ReturnType<typeof peer>>();
  for (const [peerId, answer] of Object.entries(answers))
    contacts.set(peerId, { ...peer(await serve(answer)), peerId, name: peerId });
  const holders = [...contacts.keys()].map((peerId) => ({
    peerId,
    whole: !partial.includes(peerId),
    downstream: false,
  }));
  const plan = { packageId: 'p1', filename: 'F.pkg', size: SIZE, sha256: 'x', chunkCount: 4, round: 1, holders };
  const execute = async (command: object) => {
    if (command instanceof PlanFetch) return { ...plan, verified };
    if (command instanceof RecordChunks) {
      if (command.arrival.verified.length > 0) from.push(command.arrival.from.peerId);
      verified = command.arrival.verified.reduce<readonly ChunkRange[]>(addRange, verified);
    }
    return verified;
  };
  // Each fake has what is called of it.
  const fake = <T>(parts: object) => parts as unknown as T;
  const commands = fake<CommandBus>({ execute });
  const http = transport();
  const sources = new Sources(fake<PeerDirectory>({ find: async (id: string) => contacts.get(id) ?? null }), http);
  const digestsOf = fake<ChunkDigests>({
    digestsOf: async (_: string, __: number, first: number, count: number) =>
      digests.subarray(first * 32, (first + count) * 32),
  });
  const attempts = new ChunkFetch(
    http,
    sources,
    digestsOf,
    new ChunkArrivals(commands, fake<RunningDigests>({ advance: () => undefined })),
  );
  const { file, signal } = request(ALL);
  const full: FetchPlan = { ...plan, verified };
  await new RangeFetcher(commands, sources, attempts).fetchRange(full, ALL, { file, signal });
  expect(verified).toEqual([ALL]);
  expect((await written()).equals(bytes)).toBe(true);
  return sources;
}

/** Sends the head, the first chunk, and then nothing any more. */
const stalls: Answer = (socket, head) => {
  const [first] = rangeOf(head);
  socket.write(headFor(head));
  socket.write(bytes.subarray(first, first + CHUNK_SIZE));
};

const ok: Answer = (socket, head) => good(socket, head);

it('leaves a source that stalls in the middle, and keeps what it sent', async () => {
  const asked: string[] = [];
  const sources = await fetchFrom({
    stalling: stalls,
    good: (socket, head) => {
      asked.push(rangeOf(head).join('-'));
      good(socket, head);
    },
  });
  expect(asked).toEqual([`${CHUNK_SIZE}-${SIZE - 1}`]);
  expect(new Set(from)).toEqual(new Set(['stalling', 'good']));
  expect(sources.describeSources()).toContainEqual(
    expect.objectContaining({ peerId: 'stalling', lastError: 'It sent nothing for 3 seconds.' }),
  );
});

it('fetches a chunk that came damaged from the other source', async () => {
  await fetchFrom({ wrong: (socket, head) => good(socket, head, damaged(1)), good: ok });
  expect(from).toEqual(['wrong', 'good']);
});

it('goes on with the next source after one that lacks the package, answers nonsense, or ends too soon', async () => {
  const lacks = (socket: Socket) => socket.write(json(404, { code: 'PACKAGE_NOT_FOUND' }));
  const nonsense = (socket: Socket) =>
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\nhi!');
  const short: Answer = (socket, head) => {
    socket.write(headFor(head));
    socket.end(bytes.subarray(0, 10));
  };
  await fetchFrom({ lacks, nonsense, short, good: ok });
  expect(from).toEqual(['good']);
});

it('takes from a peer that fetches the package itself what that has, and waits for the rest there when it is alone', async () => {
  const half: Answer = (socket, head) => {
    if (head.includes('/chunks')) socket.write(json(200, { verified: [{ first: 0, count: 2 }] }));
    else good(socket, head);
  };
  await fetchFrom({ half }, ['half']);
  expect(from).toEqual(['half']);
});

it('prefers the source that has the run to one that would have to wait for it', async () => {
  const half: Answer = (socket, head) => {
    if (head.includes('/chunks')) socket.write(json(200, { verified: [{ first: 0, count: 2 }] }));
    else socket.write(json(503, { code: 'CHUNKS_PENDING' }));
  };
  await fetchFrom({ half, whole: ok }, ['half']);
  expect(from).toEqual(['whole']);
});
