import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ContactRecord } from '../../../src/modules/replication/follow/follow-records.js';
import {
  PeerContactsHandler,
  PeerContactsQuery,
} from '../../../src/modules/replication/read-model/replication-status.query.js';
import { RunningProcesses } from '../../../src/platform/jobs/running-processes.js';
import type { ProcessRole, Settings } from '../../../src/platform/runtime/settings.js';
import { PEER, ReadSide } from '../../support/read-side.js';

let side: ReadSide;
beforeAll(async () => {
  side = await ReadSide.open();
});
afterAll(() => side.close());
beforeEach(() => side.dataSource.query('TRUNCATE state.processes, state.peer_contacts'));

const start = (role: ProcessRole) => new RunningProcesses(side.dataSource, { role } as Settings);
const silenceFor = (seconds: number) =>
  side.dataSource.query(`UPDATE state.processes SET seen_at = seen_at - $1 * interval '1 s' WHERE role = 'worker'`, [
    seconds,
  ]);

async function contact() {
  const handler = new PeerContactsHandler(side.dataSource);
  return (await handler.execute(new PeerContactsQuery([PEER])))[0];
}

it('see each other in the database, and miss the one that is silent', async () => {
  const [api, worker] = [start('api'), start('worker')];
  for (const process of [api, worker]) await process.beat(0);
  await api.beat(60_000);
  expect(api.findMissing(60_000)).toEqual([]);
  await silenceFor(60);
  await api.beat(71_000);
  expect(api.findMissing(71_000)).toMatchObject([{ role: 'worker' }]);
  await worker.beat(0);
  await api.beat(72_000);
  expect(api.findMissing(72_000)).toEqual([]);
});

it('watch a contact as long as the one runs that has written it, and another one begins anew', async () => {
  const [first, second] = [start('worker'), start('worker')];
  for (const process of [first, second]) await process.beat();
  await new ContactRecord(side.dataSource, first).following(PEER);
  const before = await contact();
  expect(before).toMatchObject({ following: true, isWatched: true });
  await silenceFor(60);
  expect(await contact()).toMatchObject({ following: true, isWatched: false, watchedAt: expect.any(Date) });
  await second.beat();
  await side.dataSource.query(`UPDATE state.peer_contacts SET since = since - interval '1 h'`);
  await new ContactRecord(side.dataSource, second).following(PEER);
  const after = await contact();
  expect(after).toMatchObject({ following: true, isWatched: true });
  expect(after?.since.getTime()).toBeGreaterThanOrEqual(before?.since.getTime() ?? Infinity);
});

it('say that they have ended', async () => {
  const worker = start('worker');
  const stop = new AbortController();
  const running = worker.run(stop.signal);
  await worker.beat();
  await new ContactRecord(side.dataSource, worker).following(PEER);
  stop.abort();
  await running;
  expect(await contact()).toMatchObject({ following: true, isWatched: false });
});
