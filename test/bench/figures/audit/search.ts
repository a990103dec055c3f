import type { DataSource } from 'typeorm';
import { connectReadSchema } from '../../../../src/server/boot/data-source.js';
import { allProjections } from '../../../../src/server/boot/read-models.js';
import { AuditTrailHandler, AuditTrailQuery } from '../../../../src/modules/audit/trail/audit-trail.query.js';
import type { AuditFilter } from '../../../../src/modules/audit/trail/audit-view.js';
import { encodeCursor } from '../../../../src/platform/graphql/paging.js';
import type { Figure, Result } from '../../figure.js';
import { withScratchLog } from '../../scratch-log.js';
import { ENTRIES, fillTrail, STEP_S } from './fill.js';

const ASKED = 40;
const MARK_MS = 100;
const FIRST_PAGE = 50;

const at = (seq: number): Date => new Date(Date.UTC(2026, 0, 1) + seq * STEP_S * 1000);

/** Each kind of question, frequent and rare, alone and combined, with answers far back and without any. */
const QUESTIONS: Readonly<Record<string, AuditFilter>> = {
  everything: {},
  'a frequent kind': { kinds: ['ChunksVerified'] },
  'a rare kind': { kinds: ['RoleChanged'] },
  'a kind long ago': { kinds: ['PackageRemoved'] },
  'many kinds': { kinds: ['RoleChanged', 'SignedIn', 'PackagePublished', 'PeerInvited', 'PackageRemoved'] },
  'a busy actor': { actor: 'actor-1' },
  'a rare actor': { actor: 'Person.99' },
  'an actor long ago': { actor: 'person.70' },
  nobody: { actor: 'nobody' },
  'a target with 100,000 entries': { target: 'package-0' },
  'a target': { target: 'package-17' },
  'a time': { since: at(300_000), until: at(300_500) },
  'a long time': { since: at(100_000), until: at(900_000) },
  'a frequent text': { text: 'chunks of' },
  'a rare text': { text: 'needle' },
  'a text of one target': { text: 'Application 12345.pkg' },
  'a text long ago': { text: 'packageremoved' },
  'a text that is nowhere': { text: 'nothing like it' },
  'kind and actor': { kinds: ['SignedIn'], actor: 'person.62' },
  'kind and actor, never together': { kinds: ['ChunksVerified'], actor: 'person.62' },
  'kind, actor and time': { kinds: ['SignedIn'], actor: 'person.65', since: at(200_000), until: at(500_000) },
  'target and kind': { target: 'package-0', kinds: ['RoleChanged'] },
  'target and actor': { target: 'package-0', actor: 'person.99' },
  'text and kind': { text: 'needle', kinds: ['SignedIn'] },
  'text and actor': { text: 'Application 77', actor: 'person.70' },
  'text, kind and time': { text: 'Application 1', kinds: ['PackagePublished'], since: at(100_000), until: at(600_000) },
  'rare text and old time': { text: 'needle', until: at(200_000) },
};

const percentile = (times: readonly number[], p: number): number =>
  times.toSorted((a, b) => a - b)[Math.ceil(times.length * p) - 1] ?? 0;

/** The first page, and pages from all over the trail. */
async function ask(dataSource: DataSource, filter: AuditFilter): Promise<number[]> {
  const handler = new AuditTrailHandler(dataSource);
  const times: number[] = [];
  for (let i = 0; i < ASKED; i++) {
    const after = i % 2 === 0 ? null : encodeCursor({ order: 'AUDIT', seq: Math.ceil((ENTRIES * i) / ASKED) });
    const startedAt = performance.now();
    await handler.execute(new AuditTrailQuery(filter, FIRST_PAGE, after));
    times.push(performance.now() - startedAt);
  }
  return times;
}

/** Questions to an audit trail of 1,000,000 entries: how long the slowest twentieth of the answers takes. */
export const audit: Figure = (context) =>
  withScratchLog(context.folder, async (_store, database) => {
    allProjections();
    const dataSource = await connectReadSchema(database, 'read');
    try {
      await fillTrail(dataSource);
      const results: Result[] = [];
      for (const [what, filter] of Object.entries(QUESTIONS)) {
        const times = await ask(dataSource, filter);
        const [p50, p95] = [percentile(times, 0.5), percentile(times, 0.95)];
        const ours = `p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, most ${Math.max(...times).toFixed(1)} ms`;
        results.push({
          what: `audit trail, 1,000,000 entries: ${what}`,
          ours,
          rival: 'p95 counts',
          value: p95,
          mark: { atMost: MARK_MS },
        });
      }
      return results;
    } finally {
      await dataSource.destroy();
    }
  });
