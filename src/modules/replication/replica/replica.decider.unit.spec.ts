import { describe, expect, it } from 'vitest';
import { specOf } from '../../../../test/support/given-when-then.js';
import type { ReplicaEvent } from '../contracts/replica.events.js';
import type { ChunkRange } from '../../../kernel/chunk-ranges.js';
import { replica } from './replica.decider.js';
import type { ReplicaContent } from './replica.state.js';

const content: ReplicaContent = {
  packageId: 'p1',
  filename: 'Foo.pkg',
  size: 20_000_000,
  sha256: 'aa',
  chunkCount: 20,
};
const { packageId, filename, size, sha256 } = content;
const A = { peerId: 'a', peerName: 'Server A' };

const requested: ReplicaEvent = {
  type: 'ReplicaRequested',
  data: { ...content, fromPeerId: 'a', retry: false, keepsChunks: false },
};
const verified = (first: number, count: number, remaining: number): ReplicaEvent => ({
  type: 'ChunksVerified',
  data: { packageId, first, count, fromPeerId: 'a', remaining },
});
const rejected = (index: number, times: number): ReplicaEvent => ({
  type: 'ChunkRejected',
  data: { packageId, index, fromPeerId: 'a', expected: 'e1', actual: 'b2', times },
});
const lost = (...runs: readonly ChunkRange[]): ReplicaEvent => ({
  type: 'ChunksLost',
  data: { packageId, filename, chunkCount: 20, runs },
});
const failed = (code: string): ReplicaEvent => ({
  type: 'ReplicaFailed',
  data: { packageId, filename, code, reason: 'why' },
});
const published: ReplicaEvent = { type: 'ReplicaPublished', data: { packageId, filename, size, sha256 } };
const withdrawn: ReplicaEvent = { type: 'ReplicaWithdrawn', data: { packageId, filename, reason: 'stage' } };
const reported: ReplicaEvent = { type: 'ReplicaReported', data: { packageId, ...A, verifiedAt: 't1', lineage: [] } };
const delayed: ReplicaEvent = {
  type: 'ReplicaDelayed',
  data: { packageId, code: 'PEER_UNREACHABLE', reason: 'why', fromPeerId: 'a' },
};

const request = { kind: 'request', content, fromPeerId: 'a' } as const;
const delay = { kind: 'delay', code: 'PEER_UNREACHABLE', reason: 'why', fromPeerId: 'a' } as const;
const arrive = (first: number, count: number) =>
  ({ kind: 'recordChunks', round: 1, from: A, verified: [{ first, count }], rejected: [] }) as const;
const damage = (index: number) =>
  ({
    kind: 'recordChunks',
    round: 1,
    from: A,
    verified: [],
    rejected: [{ index, expected: 'e1', actual: 'b2' }],
  }) as const;
const damageFound = (...runs: readonly ChunkRange[]) =>
  ({ kind: 'damage', round: 1, actual: 'bb', lost: runs }) as const;
const report = (verifiedAt: string | null) =>
  ({ kind: 'report', packageId, holder: A, copy: verifiedAt === null ? null : { verifiedAt, lineage: [] } }) as const;

const four = [1, 2, 3, 4].map((times) => rejected(16, times));

const { given } = specOf(replica);

describe('asking for a copy', () => {
  it('is recorded once', () => {
    given().when(request).gives(requested);
    given(requested).when(request).gives();
    given(requested, verified(0, 20, 0), published)
      .when(request)
      .gives();
  });

  it('starts over after a withdrawal, and not by itself after a failure', () => {
    given(requested, verified(0, 5, 15), withdrawn)
      .when(request)
      .gives(requested);
    expect(given(requested, verified(0, 5, 15), withdrawn, requested).state().verified).toEqual([]);
    given(requested, failed('CHUNK_REJECTED')).when(request).gives();
  });
});

it.each([1e300, 2 ** 20 + 1, Number.POSITIVE_INFINITY])(
  'a request of %s chunks is of no package that can be',
  (chunkCount) => {
    const event: ReplicaEvent = {
      type: 'ReplicaRequested',
      data: { ...content, chunkCount, fromPeerId: 'a', retry: false, keepsChunks: false },
    };
    expect(() => replica.evolve(replica.initial, event)).toThrow(RangeError);
  },
);

describe('a file that is at its place', () => {
  const adopt = { kind: 'adopt', content } as const;

  it('makes a withdrawn copy whole in one step; an upload ends a fetch', () => {
    const arrived = { kind: 'arrive' } as const;
    given(requested, verified(0, 20, 0), published, withdrawn)
      .when(adopt)
      .gives(requested, published);
    given(requested, verified(0, 5, 15))
      .when(arrived)
      .gives(published);
    given(requested, failed('CHUNK_REJECTED')).when(arrived).gives(published);
  });

  it('is nothing new for a copy that is whole, or was never asked for', () => {
    given(requested, verified(0, 20, 0), published)
      .when(adopt)
      .gives();
    given().when(adopt).gives();
  });
});

describe('chunks that arrived', () => {
  it('count once, with what is still missing', () => {
    given(requested)
      .when(arrive(0, 16))
      .gives(verified(0, 16, 4));
    given(requested, verified(0, 16, 4))
      .when(arrive(0, 16))
      .gives();
    given(requested, verified(4, 4, 16))
      .when(arrive(0, 16))
      .gives(verified(0, 4, 12), verified(8, 8, 4));
  });

  it('never reach beyond the package or overlap within one report', () => {
    given(requested, verified(0, 16, 4))
      .when(arrive(16, 16))
      .gives(verified(16, 4, 0));
    const twice = {
      kind: 'recordChunks',
      round: 1,
      from: A,
      verified: [
        { first: 0, count: 4 },
        { first: 2, count: 4 },
      ],
      rejected: [],
    } as const;
    given(requested)
      .when(twice)
      .gives(verified(0, 4, 16), verified(4, 2, 14));
  });

  it('do not count for a later request: they went into another file', () => {
    given(requested, withdrawn, requested).when(arrive(0, 4)).gives();
    given(requested, withdrawn, requested)
      .when({ ...arrive(0, 4), round: 2 })
      .gives(verified(0, 4, 16));
  });

  it('are old news for a copy that was never asked for, is published, failed or withdrawn', () => {
    given().when(arrive(0, 4)).gives();
    for (const end of [failed('X'), withdrawn, published]) given(requested, end).when(arrive(0, 4)).gives();
  });
});

describe('damaged chunks', () => {
  it('are counted, and the fifth fails the copy with a reason an administrator understands', () => {
    given(requested).when(damage(16)).gives(rejected(16, 1));
    const events = given(requested, ...four)
      .when(damage(16))
      .events();
    expect(events[0]).toEqual(rejected(16, 5));
    expect(events[1]).toMatchObject({ type: 'ReplicaFailed', data: { code: 'CHUNK_REJECTED', packageId, filename } });
    expect(events[1]?.data).toHaveProperty(
      'reason',
      expect.stringMatching(
        /^Chunk 17 of Foo\.pkg arrived damaged from Server A 5 times \(expected e1, got b2\)\. Check .*then retry\.$/,
      ),
    );
  });

  it('fail nothing while another peer has the whole package, unless that sends the chunk damaged as often', () => {
    const whole: ReplicaEvent = {
      type: 'ReplicaReported',
      data: { packageId, peerId: 'b', peerName: 'B', verifiedAt: 't1', lineage: [] },
    };
    const partial = { ...whole, data: { ...whole.data, verifiedAt: null } } as ReplicaEvent;
    given(requested, whole, ...four)
      .when(damage(16))
      .gives(rejected(16, 5));
    const byB = [5, 6, 7, 8, 9].map(
      (times) => ({ ...rejected(16, times), data: { ...rejected(16, times).data, fromPeerId: 'b' } }) as ReplicaEvent,
    );
    expect(
      given(requested, whole, ...four, ...byB)
        .when(damage(16))
        .events(),
    ).toMatchObject([{ data: { times: 10 } }, { type: 'ReplicaFailed' }]);
    expect(
      given(requested, partial, ...four)
        .when(damage(16))
        .events(),
    ).toMatchObject([{ data: { times: 5 } }, { type: 'ReplicaFailed' }]);
  });

  it('do not matter once the chunk is there', () => {
    given(requested, verified(16, 1, 19))
      .when(damage(16))
      .gives();
  });

  it('are forgotten by a retry', () => {
    const again: ReplicaEvent = {
      type: 'ReplicaRequested',
      data: { ...content, fromPeerId: 'a', retry: true, keepsChunks: true },
    };
    given(requested, rejected(3, 4), failed('CHUNK_REJECTED'), again)
      .when({ ...damage(3), round: 2 })
      .gives(rejected(3, 1));
  });
});

describe('publishing', () => {
  it('needs every chunk, and happens once', () => {
    given(requested, verified(0, 20, 0))
      .when({ kind: 'publish' })
      .gives(published);
    given(requested, verified(0, 19, 1))
      .when({ kind: 'publish' })
      .gives();
    given(requested, verified(0, 20, 0), published)
      .when({ kind: 'publish' })
      .gives();
    given(requested, verified(0, 20, 0), withdrawn)
      .when({ kind: 'publish' })
      .gives();
  });

  it('of an empty package needs none', () => {
    const empty: ReplicaEvent = { ...requested, data: { ...requested.data, size: 0, chunkCount: 0 } } as ReplicaEvent;
    expect(given(empty).when({ kind: 'publish' }).events()).toHaveLength(1);
  });
});

describe('a retry', () => {
  it('keeps verified chunks, unless the whole file was wrong', () => {
    const base = [requested, verified(0, 20, 0)] as const;
    const again = (keepsChunks: boolean): ReplicaEvent => ({
      type: 'ReplicaRequested',
      data: { ...content, fromPeerId: 'a', retry: true, keepsChunks },
    });
    given(...base, failed('CHUNK_REJECTED'))
      .when({ kind: 'retry' })
      .gives(again(true));
    given(...base, failed('DIGEST_MISMATCH'))
      .when({ kind: 'retry' })
      .gives(again(false));
    expect(given(...base, failed('DIGEST_MISMATCH'), again(false)).state().verified).toEqual([]);
  });

  it('is refused unless the copy has failed', () => {
    given().when({ kind: 'retry' }).refuses('REPLICA_NOT_FOUND');
    given(requested).when({ kind: 'retry' }).refuses('REPLICA_NOT_FAILED');
  });
});

describe('a complete file that is not the package', () => {
  const complete = [requested, verified(0, 20, 0)] as const;
  const [first, last] = [
    { first: 0, count: 2 },
    { first: 19, count: 1 },
  ];
  const fails = (reason: RegExp) => [
    {
      type: 'ReplicaFailed',
      data: { packageId, filename, code: 'DIGEST_MISMATCH', reason: expect.stringMatching(reason) },
    },
  ];

  it('loses the chunks that are damaged on disk, which are then fetched again', () => {
    given(...complete)
      .when(damageFound(first, last))
      .gives(lost(first, last));
    expect(given(...complete, lost(first, last)).state()).toMatchObject({
      status: 'pending',
      verified: [{ first: 2, count: 17 }],
    });
    const again = [...complete, lost(first, last)];
    given(...again)
      .when({ kind: 'publish' })
      .gives();
    given(...again)
      .when({ ...arrive(0, 2), round: 2 })
      .gives(verified(0, 2, 1));
  });

  it('does not count what was under way when chunks were lost, nor a check of before', () => {
    given(...complete, lost(first))
      .when(arrive(0, 2))
      .gives();
    given(...complete, lost(first))
      .when(damageFound(first))
      .gives();
  });

  it('fails when it loses chunks for the second time, and may lose some again after a retry', () => {
    const twice = [...complete, lost(first), verified(0, 2, 0)];
    expect(
      given(...twice)
        .when({ ...damageFound(first), round: 2 })
        .events(),
    ).toEqual(
      fails(
        /^2 of 20 chunks of Foo\.pkg are damaged on this server's disk, for the second time.* then retry: all of it is fetched again\.$/,
      ),
    );
    const again: ReplicaEvent = {
      type: 'ReplicaRequested',
      data: { ...content, fromPeerId: 'a', retry: true, keepsChunks: false },
    };
    const retried = [...twice, failed('DIGEST_MISMATCH'), again, verified(0, 20, 0)];
    given(...retried)
      .when({ ...damageFound(last), round: 3 })
      .gives(lost(last));
  });

  it('fails when every chunk is right', () => {
    expect(
      given(...complete)
        .when(damageFound())
        .events(),
    ).toEqual(fails(/^Every chunk .* SHA-256 bb instead of aa\. Retry/));
  });

  it('is old news for a copy that is no longer pending', () => {
    for (const end of [failed('X'), withdrawn, published])
      given(...complete, end)
        .when(damageFound(first))
        .gives();
  });

  it('tells of a great many runs as one', () => {
    const many = Array.from({ length: 501 }, (_, i) => ({ first: 3 + 2 * i, count: 1 }));
    given(...complete)
      .when(damageFound(...many))
      .gives(lost({ first: 3, count: 17 }));
  });
});

describe('withdrawing and delays', () => {
  it('withdraws what was asked for, once', () => {
    const withdraw = { kind: 'withdraw', reason: 'stage' } as const;
    given().when(withdraw).gives();
    for (const before of [[requested], [requested, published], [requested, failed('X')]]) {
      given(...before)
        .when(withdraw)
        .gives(withdrawn);
    }
    given(requested, withdrawn).when(withdraw).gives();
  });

  it('records a closed time window anew when it opens at another time', () => {
    const closed = (reason: string) => ({ ...delay, code: 'OUTSIDE_WINDOW', reason }) as const;
    const noted: ReplicaEvent = {
      type: 'ReplicaDelayed',
      data: { packageId: 'p1', code: 'OUTSIDE_WINDOW', reason: 'at ten', fromPeerId: 'a' },
    };
    given(requested, noted).when(closed('at ten')).gives();
    given(requested, noted)
      .when(closed('at six'))
      .gives({ ...noted, data: { ...noted.data, reason: 'at six' } });
  });

  it('records a delay once a cause, until something arrives', () => {
    given(requested).when(delay).gives(delayed);
    given(requested, delayed).when(delay).gives();
    given(requested, delayed, verified(0, 1, 19))
      .when(delay)
      .gives(delayed);
    given(requested, published).when(delay).gives();
  });
});

describe('reports of peers', () => {
  it('are recorded when they are news', () => {
    given().when(report('t1')).gives(reported);
    given(reported).when(report('t1')).gives();
    given(reported)
      .when(report(null))
      .gives({ type: 'ReplicaUnreported', data: { packageId, ...A } });
    given().when(report(null)).gives();
  });

  it('tell of a copy on its way, then that it is whole, and of another way by which it came', () => {
    const way = [{ serverId: 'o', name: 'Origin', verifiedAt: 't0' }];
    const told = (verifiedAt: string | null, lineage: typeof way): ReplicaEvent => ({
      type: 'ReplicaReported',
      data: { packageId, ...A, verifiedAt, lineage },
    });
    const news = (verifiedAt: string | null, lineage: typeof way) => ({
      ...report(null),
      copy: { verifiedAt, lineage },
    });
    given().when(news(null, [])).gives(told(null, []));
    given(told(null, [])).when(news(null, [])).gives();
    given(told(null, [])).when(news('t1', [])).gives(told('t1', []));
    given(told('t1', [])).when(news('t1', way)).gives(told('t1', way));
    given(told('t1', way)).when(news('t1', way)).gives();
  });

  it('that lack what we know are answered once with the same', () => {
    const lacks = (told: string) => ({ kind: 'outdated', packageId, holder: A, told }) as const;
    const answered = (told?: string): ReplicaEvent => ({
      type: 'PeerOutdated',
      data: { packageId, ...A, ...(told !== undefined && { told }) },
    });
    given().when(lacks('s1')).gives(answered('s1'));
    given(answered('s1'), reported).when(lacks('s1')).gives();
    given(answered('s1')).when(lacks('s2')).gives(answered('s2'));
    given(answered('s1'))
      .when({ ...lacks('s1'), holder: { peerId: 'b', peerName: 'B' } })
      .gives({ type: 'PeerOutdated', data: { packageId, peerId: 'b', peerName: 'B', told: 's1' } });
    given(answered()).when(lacks('s1')).gives(answered('s1'));
  });

  it('come in one step with the wish for a copy', () => {
    const announce = { kind: 'announce', report: report('t1'), content } as const;
    given().when(announce).gives(reported, requested);
    given(requested).when(announce).gives(reported);
    given(reported, requested).when(announce).gives();
  });
});
