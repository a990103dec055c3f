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
const failed = (code: string): ReplicaEvent => ({
  type: 'ReplicaFailed',
  data: { packageId, filename, code, reason: 'why' },
});
const published: ReplicaEvent = { type: 'ReplicaPublished', data: { packageId, filename, size, sha256 } };
const withdrawn: ReplicaEvent = { type: 'ReplicaWithdrawn', data: { packageId, filename, reason: 'stage' } };
const reported: ReplicaEvent = { type: 'ReplicaReported', data: { packageId, ...A, verifiedAt: 't1', lineage: [] } };

const { given } = specOf(replica);

describe('damage of a file that was held whole', () => {
  const damage = {
    kind: 'damagePublished',
    content,
    round: 1,
    uploaded: false,
    lost: [{ first: 3, count: 2 }],
    missing: false,
  } as const;
  const whole = [reported, requested, verified(0, 20, 0), published];
  const damaged = (fromPeerId: string | null, ...runs: readonly ChunkRange[]): ReplicaEvent => ({
    type: 'ReplicaDamaged',
    data: { ...content, fromPeerId, runs, missing: false },
  });

  it('makes a whole copy pending, with all but the damaged chunks verified', () => {
    given(...whole)
      .when(damage)
      .gives(damaged('a', { first: 3, count: 2 }));
    const state = given(...whole, damaged('a', { first: 3, count: 2 })).state();
    expect(state).toMatchObject({ status: 'pending', round: 2, delay: null });
    expect(state.verified).toEqual([
      { first: 0, count: 3 },
      { first: 5, count: 15 },
    ]);
  });

  it('concerns what was uploaded here as well, with or without a source', () => {
    const uploaded = { ...damage, round: 0, uploaded: true };
    given()
      .when(uploaded)
      .gives(damaged(null, { first: 3, count: 2 }));
    given(reported)
      .when(uploaded)
      .gives(damaged('a', { first: 3, count: 2 }));
    given()
      .when({ ...uploaded, uploaded: false })
      .gives();
  });

  it('is outdated when it is being repaired, or was repaired since', () => {
    const repairing = [...whole, damaged('a', { first: 3, count: 2 })];
    given(...repairing)
      .when(damage)
      .gives();
    given(...repairing, verified(3, 2, 0), published)
      .when(damage)
      .gives();
    given(...whole, withdrawn)
      .when(damage)
      .gives();
  });

  it('is repaired by the lost chunks alone', () => {
    const record = {
      kind: 'recordChunks',
      round: 2,
      from: A,
      verified: [{ first: 0, count: 16 }],
      rejected: [],
    } as const;
    given(...whole, damaged('a', { first: 3, count: 2 }))
      .when(record)
      .gives(verified(3, 2, 0));
  });

  it('is put right by an upload, as is a copy that failed', () => {
    given(...whole, damaged(null, { first: 0, count: 20 }))
      .when({ kind: 'arrive' })
      .gives(published);
    given(requested, failed('CHUNK_REJECTED')).when({ kind: 'arrive' }).gives(published);
    given(...whole)
      .when({ kind: 'arrive' })
      .gives();
    given(reported).when({ kind: 'arrive' }).gives();
  });

  it('names very many runs as one', () => {
    const many = Array.from({ length: 600 }, (_, i) => ({ first: 2 * i, count: 1 }));
    const large = { ...damage, content: { ...content, chunkCount: 2000 }, lost: many };
    expect(
      given(...whole)
        .when(large)
        .events(),
    ).toMatchObject([{ data: { runs: [{ first: 0, count: 2000 }] } }]);
  });
});
