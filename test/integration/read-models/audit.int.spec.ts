import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuditEntryView, AuditFilter } from '../../../src/modules/audit/trail/audit-view.js';
import { describedTypes } from '../../../src/platform/eventsourcing/event-descriptions.js';
import '../../../src/server/app.module.js';
import { AuditTrailHandler, AuditTrailQuery } from '../../../src/modules/audit/trail/audit-trail.query.js';
import {
  RequireKnownPartiesHandler,
  RequireKnownPartiesQuery,
} from '../../../src/modules/audit/trail/known-parties.query.js';
import { encodeCursor } from '../../../src/platform/graphql/paging.js';
import { PEER, publication, ReadSide, recorded } from '../../support/read-side.js';

let side: ReadSide;
beforeAll(async () => {
  side = await ReadSide.open();
});
afterAll(() => side.close());
beforeEach(() => side.dataSource.query('TRUNCATE audit_entries, audit_actors, audit_subjects'));

const trail = (filter: AuditFilter = {}, first = 25, after: string | null = null) =>
  new AuditTrailHandler(side.dataSource).execute(new AuditTrailQuery(filter, first, after));

async function entries(filter?: AuditFilter): Promise<readonly AuditEntryView[]> {
  return (await trail(filter)).edges.map(({ node }) => node);
}

const kinds = async (filter?: AuditFilter): Promise<string[]> => (await entries(filter)).map(({ kind }) => kind);

const data = publication('app.pkg');
const { packageId, filename } = data;
const hashed = recorded('PackageChunksHashed', { packageId, first: 0, count: 3, sha1: 'QUFB', sha256: 'QkJC' });
const published = recorded('PackagePublished', data, new Date('2026-02-01T00:00:00.000Z'));
const signedIn = recorded('SignedIn', { accountId: 'a-1', username: 'admin' }, new Date('2026-03-01T00:00:00.000Z'));
const invited = recorded('PeerInvited', {
  invitationId: 'i-1',
  secretHash: 'SECRETHASH',
  expiresAt: '2026-01-01T00:00:00Z',
});

describe('an audit entry', () => {
  it('says who, what, when, from where and to what', async () => {
    await side.apply(published);
    expect(await entries()).toMatchObject([
      {
        id: published.id,
        kind: 'PackagePublished',
        recordedAt: new Date('2026-02-01T00:00:00.000Z'),
        actor: { kind: 'account', name: 'admin' },
        address: '192.0.2.1',
        target: { type: 'PACKAGE', id: packageId, label: filename },
        summary: 'Published app.pkg (3000000 bytes, Prod)',
        details: { stage: 'Prod', size: 3_000_000 },
      },
    ]);
  });

  it('holds neither secrets nor lists of digests', async () => {
    await side.apply(invited, hashed);
    const text = JSON.stringify(await entries());
    expect(text).not.toMatch(/SECRETHASH|QUFB|QkJC/);
  });

  it.each([
    ['in one page', true],
    ['one by one', false],
  ])('names its package also when that was not known yet: %s', async (_, together) => {
    const verified = recorded('ChunksVerified', { packageId, first: 0, count: 3, fromPeerId: PEER, remaining: 0 });
    if (together) await side.apply(hashed, published, verified);
    else for (const event of [hashed, published, verified]) await side.apply(event);
    expect((await entries()).map(({ seq, target }) => [seq, target.label])).toEqual([
      [3, filename],
      [2, filename],
      [1, filename],
    ]);
  });

  it('is written for events of every type', () => {
    expect(describedTypes()).toEqual(
      expect.arrayContaining(['PackageRemoved', 'ReplicaFailed', 'PeerCallRefused', 'SignInRefused']),
    );
  });
});

describe('the trail', () => {
  beforeEach(() => side.apply(hashed, invited, published, signedIn));

  it('is filtered by kind, actor, target, time and text', async () => {
    expect(await kinds({ kinds: ['SignedIn', 'PeerInvited'] })).toEqual(['SignedIn', 'PeerInvited']);
    expect(await kinds({ target: packageId })).toEqual(['PackagePublished', 'PackageChunksHashed']);
    expect(await kinds({ since: new Date('2026-02-01T00:00:00.000Z') })).toEqual(['SignedIn', 'PackagePublished']);
    expect(await kinds({ until: new Date('2026-02-01T00:00:00.000Z') })).toEqual([
      'PeerInvited',
      'PackageChunksHashed',
    ]);
    expect(await kinds({ text: 'APP.PKG' })).toEqual(['PackagePublished', 'PackageChunksHashed']);
    expect(await kinds({ actor: 'Admin' })).toHaveLength(4);
    expect(await kinds({ actor: 'nobody' })).toEqual([]);
  });

  it('does not look for actors and targets that nobody knows', async () => {
    const handler = new RequireKnownPartiesHandler(side.dataSource);
    const check = (filter: AuditFilter) => handler.execute(new RequireKnownPartiesQuery(filter));
    const created = {
      accountId: 'a-3',
      username: 'Zoë',
      displayName: null,
      source: 'local',
      mustChangePassword: false,
    };
    await side.apply(recorded('AccountCreated', { ...created, roles: [], publishUpTo: null }));
    for (const actor of ['admin', 'ADMIN', 'zoË', 'Zoe\u0308', packageId, '', null]) await check({ actor });
    for (const target of [packageId, packageId.toUpperCase(), 'a-3', '0192c7a0-0000-7000-8000-0000000000ff', '']) {
      await check({ target });
    }
    const refusal = (words: string) => ({ code: 'INVALID_REQUEST', message: expect.stringContaining(words) });
    await expect(check({ actor: 'amdin' })).rejects.toMatchObject(refusal('The nearest names are admin'));
    await expect(check({ actor: 'Zoä' })).rejects.toMatchObject(refusal('The nearest names are zoë'));
    await expect(check({ target: filename })).rejects.toMatchObject(refusal('Use `text` to find a name'));
  });

  it('is paged newest first, and what comes in between does not move a page', async () => {
    const first = await trail({}, 2);
    await side.apply(recorded('SignedIn', { accountId: 'a-2', username: 'other' }));
    const second = await trail({}, 2, first.pageInfo.endCursor);
    const seqs = [first, second].map((page) => page.edges.map(({ node }) => node.seq));
    expect(seqs).toEqual([
      [4, 3],
      [2, 1],
    ]);
    expect(second.pageInfo.hasNextPage).toBe(false);
  });

  it.each([['x'], [encodeCursor({ order: 'AUDIT', seq: 'x' })], [encodeCursor({ order: 'AUDIT', seq: 1.5 })]])(
    'refuses the cursor %s',
    async (cursor) => {
      await expect(trail({}, 2, cursor)).rejects.toMatchObject({ code: 'INVALID_CURSOR' });
    },
  );
});

describe('a question', () => {
  const KINDS = ['SignedIn', 'SessionClosed'] as const;
  const minute = (n: number): Date => new Date(Date.UTC(2026, 0, 1, 0, n));

  /** Clocks that go back now and then, names and texts that occur often and seldom. */
  const events = Array.from({ length: 300 }, (_, i) => {
    const [kind, at] = [KINDS[i % 7 === 0 ? 1 : 0] ?? 'SignedIn', minute(i % 50 === 49 ? i - 30 : i)];
    const event = recorded(
      kind,
      { accountId: `a-${i % 5}`, username: `User ${i % 11}_%`, sessionId: null, how: 'revoked' },
      at,
    );
    return {
      ...event,
      metadata: { ...event.metadata, actor: { kind: 'account', id: `id-${i % 3}`, name: `Name ${i % 3}` } as const },
    };
  });
  beforeEach(() => side.apply(...events));

  const FILTERS: readonly AuditFilter[] = [
    {},
    { kinds: ['SessionClosed'] },
    { kinds: [...KINDS] },
    { actor: 'id-1' },
    { actor: 'nAME 1' },
    { target: 'a-3' },
    { text: 'uSER 7' },
    { text: 'r 1' },
    { text: '_%' },
    { text: '%' },
    { text: 'nowhere' },
    { since: minute(100) },
    { until: minute(200) },
    { since: minute(45), until: minute(60) },
    { since: minute(1000) },
    { kinds: ['SessionClosed'], actor: 'Name 2', target: 'a-1' },
    { actor: 'id-0', text: 'user 10', since: minute(20) },
    { target: 'a-2', until: minute(100) },
    { kinds: ['SignedIn'], target: 'a-4', text: 'user 3', until: minute(250) },
    { kinds: ['PeerInvited'] },
    { actor: 'nobody', text: 'x' },
  ];

  /** As the words of the filter say, one after the other. */
  const fits = ({ kinds, actor, target, since, until, text }: AuditFilter, entry: AuditEntryView): boolean =>
    (!kinds || kinds.includes(entry.kind)) &&
    (!actor || entry.actor.id === actor || entry.actor.name.toLowerCase() === actor.toLowerCase()) &&
    (!target || entry.target.id === target) &&
    (!since || entry.recordedAt >= since) &&
    (!until || entry.recordedAt < until) &&
    (!text ||
      [entry.summary, entry.target.label, entry.actor.name, entry.address]
        .join(' ')
        .toLowerCase()
        .includes(text.toLowerCase()));

  async function all(filter: AuditFilter): Promise<AuditEntryView[]> {
    const found: AuditEntryView[] = [];
    for (let after: string | null = null; ;) {
      const page: Awaited<ReturnType<typeof trail>> = await trail(filter, 37, after);
      found.push(...page.edges.map(({ node }) => node));
      if (!page.pageInfo.hasNextPage) return found;
      after = page.pageInfo.endCursor;
    }
  }

  it.each(FILTERS)('%j is answered as if all entries were looked at', async (filter) => {
    const everything = await all({});
    expect(everything.map(({ seq }) => seq)).toEqual(Array.from({ length: 300 }, (_, i) => 300 - i));
    expect((await all(filter)).map(({ seq }) => seq)).toEqual(
      everything.filter((entry) => fits(filter, entry)).map(({ seq }) => seq),
    );
  });
});
