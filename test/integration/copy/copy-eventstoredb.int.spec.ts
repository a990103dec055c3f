import { afterEach, describe, expect, it } from 'vitest';
import { eventsCopyContract, type CopyEnd } from '../../contract/events-copy.contract.js';
import { readAll } from '../../contract/follow.js';
import { copy, failure } from '../../support/copy-tool.js';
import { writeSampleLog } from '../../support/sample-log.js';
import { startEventStoreDb } from './eventstoredb-copy-end.js';
import { startPostgres } from './postgres-copy-end.js';

eventsCopyContract('postgres to eventstoredb', startPostgres, startEventStoreDb);
eventsCopyContract('eventstoredb to postgres', startEventStoreDb, startPostgres);

describe('events:copy with EventStoreDB', () => {
  const ends: CopyEnd[] = [];
  const start = async (starter: () => Promise<CopyEnd>): Promise<CopyEnd> => {
    const end = await starter();
    ends.push(end);
    return end;
  };
  afterEach(async () => {
    for (const end of ends.splice(0)) await end.dispose();
  });

  it('goes there and back, and back to where it came from, without a difference', async () => {
    const [first, cluster, last] = [
      await start(startPostgres),
      await start(startEventStoreDb),
      await start(startPostgres),
    ];
    const count = await writeSampleLog(first.store, 20);
    await copy(first.place, cluster.place);
    const more = await writeSampleLog(cluster.store, 5, 'in the cluster');
    expect(await copy(cluster.place, last.place)).toMatchObject({ copied: count + more, stateRows: null });
    expect(await copy(cluster.place, first.place)).toMatchObject({ already: count, copied: more });
    expect(await readAll(last.store)).toEqual(await readAll(first.store));
  });

  it('compares the events alone when neither end is a PostgreSQL', async () => {
    const [one, other] = [await start(startEventStoreDb), await start(startEventStoreDb)];
    const count = await writeSampleLog(one.store, 3);
    expect(await copy(one.place, other.place)).toMatchObject({ verified: { events: count, readModelRows: null } });
  });

  it('says in one line when there is no EventStoreDB', async () => {
    const source = await start(startPostgres);
    const error = await failure(['--from', source.place, '--to', 'esdb://127.0.0.1:1?tls=false']);
    expect(error).toMatchObject({ name: 'StartupError', message: expect.stringMatching(/^--to: .*127\.0\.0\.1:1.*$/) });
  });
});
