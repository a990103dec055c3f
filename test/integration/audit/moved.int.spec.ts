import { afterEach, beforeEach, expect, it } from 'vitest';
import { PostgresEventStore } from '../../../src/adapters/event-store/postgres/postgres-event-store.js';
import { copyChain } from '../../../src/cli/copy/copy-state.js';
import { readLastLink } from '../../../src/modules/audit/chain/chain-table.js';
import { readAll } from '../../contract/follow.js';
import { AuditScene } from '../../support/audit-scene.js';

let source: AuditScene;
let target: AuditScene;
beforeEach(async () => {
  source = await AuditScene.open();
  target = await AuditScene.openEmpty(source.identity);
});
afterEach(() => Promise.all([source.close(), target.close()]));

it('the chain moves to another database with its log, as far as that was copied, and goes on there', async () => {
  await source.publish(3);
  await source.catchUp();
  const copied = await readAll(source.store);
  await source.publish(2);
  await source.catchUp();
  const store = new PostgresEventStore(target.settings);
  for (const { stream, ...event } of copied) await store.append(stream, [event], 'any');
  await store.close();
  await copyChain(source.settings, target.settings, copied.length);
  expect(await readLastLink(target.dataSource)).toMatchObject({ number: 10, eventId: copied.at(-1)?.id });
  await target.publish(1);
  await target.catchUp();
  const { problems, entries, checkpoints } = await target.verify({ kept: null });
  expect({ problems, entries, checkpoints }).toEqual({ problems: [], entries: 13, checkpoints: 2 });
});
