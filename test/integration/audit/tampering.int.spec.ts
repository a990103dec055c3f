import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { linkEvents } from '../../../src/modules/audit/chain/chain-entry.js';
import { addLinks } from '../../../src/modules/audit/chain/chain-table.js';
import { AuditScene } from '../../support/audit-scene.js';
import { readAll } from '../../contract/follow.js';

let scene: AuditScene;
beforeEach(async () => {
  scene = await AuditScene.open();
  await scene.publish(5);
  await scene.catchUp();
  await scene.publish(5);
  await scene.catchUp();
});
afterEach(() => scene.close());

const idOf = async (position: number): Promise<string> => {
  const rows = (await scene.sql('SELECT id FROM log.events WHERE position = $1', [position])) as { id: string }[];
  return rows[0]?.id ?? '';
};

const first = async (options = {}) => (await scene.verify(options)).problems[0];

/** What somebody with write access to everything but the keys does: computes the chain anew over the log as it is. */
async function chainAnew(): Promise<void> {
  await scene.sql('DELETE FROM audit.chain');
  const place = (await scene.sql('SELECT epoch FROM audit.place')) as { epoch: string }[];
  const events = await readAll(scene.store);
  const cursor = events.at(-1)?.cursor ?? null;
  await addLinks(scene.dataSource, linkEvents(events, { number: 0, hash: '0'.repeat(64) }), {
    number: events.length,
    epoch: place[0]?.epoch ?? '',
    cursor,
  });
}

describe('an audit trail that nobody has touched', () => {
  it('is verified: events, chain, checkpoints and what is shown', async () => {
    expect(await scene.verify()).toMatchObject({ problems: [], entries: 31, checkpoints: 2, pending: 0, shown: 31 });
  });

  it('is verified from a checkpoint on', async () => {
    expect(await scene.verify({ since: 1 })).toMatchObject({
      problems: [],
      from: 17,
      entries: 15,
      checkpoints: 1,
      shown: 31,
    });
    expect(await scene.verify({ since: 'last' })).toMatchObject({ problems: [], entries: 0 });
  });

  it('tells how many events came after the last entry', async () => {
    await scene.publish(1);
    expect(await scene.verify()).toMatchObject({ problems: [], entries: 31, pending: 3 });
  });

  it('agrees with a checkpoint that was kept elsewhere', async () => {
    const kept = await scene.checkpoint();
    await scene.publish(1);
    await scene.catchUp();
    expect(await scene.verify({ kept })).toMatchObject({ problems: [], entries: 34 });
  });
});

describe('in the event log', () => {
  it('a changed event is told', async () => {
    await scene.sql(
      `UPDATE log.events SET data = jsonb_set(data::jsonb, '{uploadedBy}', '"somebody else"')::json WHERE position = 9`,
    );
    expect(await first()).toMatchObject({ wrong: 'changed', number: 9, eventId: await idOf(9) });
  });

  it.each([
    ['who did it', `metadata = jsonb_set(metadata::jsonb, '{actor,name}', '"x"')::json`],
    ['from where', `metadata = jsonb_set(metadata::jsonb, '{address}', '"198.51.100.1"')::json`],
    ['when', `recorded_at = recorded_at - interval '1 day'`],
    ['its type', `type = 'PackageRemoved'`],
    ['its stream', `stream = 'package-other'`],
  ])('a change of %s is told', async (_, change) => {
    await scene.sql(`UPDATE log.events SET ${change} WHERE position = 9`);
    expect(await first()).toMatchObject({ wrong: 'changed', number: 9, eventId: await idOf(9) });
  });

  it('a removed event is told', async () => {
    const id = await idOf(9);
    await scene.sql('DELETE FROM log.events WHERE position = 9');
    expect(await first()).toMatchObject({ wrong: 'removed', number: 9, eventId: id });
  });

  it('a removed end is told', async () => {
    const id = await idOf(30);
    await scene.sql('DELETE FROM log.events WHERE position >= 30');
    expect(await first()).toMatchObject({ wrong: 'removed', number: 30, upTo: 31, eventId: id });
  });

  it('an inserted event is told', async () => {
    await scene.sql('UPDATE log.events SET position = position + 100 WHERE position >= 9');
    await scene.sql(
      `INSERT INTO log.events SELECT 50, 7, recorded_at, gen_random_uuid(), stream, type, data, metadata FROM log.events WHERE position = 8`,
    );
    expect(await first()).toMatchObject({ wrong: 'inserted', number: 9, eventId: await idOf(50) });
  });

  it('another order of events is told', async () => {
    const id = await idOf(9);
    await scene.sql('UPDATE log.events SET position = 1000 WHERE position = 9');
    await scene.sql('UPDATE log.events SET position = 9 WHERE position = 12');
    await scene.sql('UPDATE log.events SET position = 12 WHERE position = 1000');
    expect(await first()).toMatchObject({ wrong: 'reordered', number: 9, eventId: id });
  });
});

describe('in the chain', () => {
  it('a changed hash is told, and that the event is as it was', async () => {
    await scene.sql(`UPDATE audit.chain SET hash = decode(repeat('ab', 32), 'hex') WHERE number = 9`);
    expect(await first()).toMatchObject({
      wrong: 'changed',
      number: 9,
      eventId: await idOf(9),
      what: expect.stringContaining('the event is as it was recorded'),
    });
  });

  it('a removed entry is told', async () => {
    await scene.sql('DELETE FROM audit.chain WHERE number = 9');
    expect(await first()).toMatchObject({ wrong: 'removed', number: 9, eventId: await idOf(9) });
  });

  it('a removed end is told', async () => {
    await scene.sql('DELETE FROM audit.chain WHERE number > 29');
    expect(await first()).toMatchObject({ wrong: 'tail', number: 30, upTo: 31 });
  });

  it('an entry behind the last one is told', async () => {
    await scene.sql(`INSERT INTO audit.chain VALUES (32, gen_random_uuid(), decode(repeat('ab', 32), 'hex'))`);
    expect(await first()).toMatchObject({ wrong: 'removed', number: 32 });
  });

  it('another order of entries is told', async () => {
    await scene.sql('UPDATE audit.chain SET number = number + 1000 WHERE number IN (9, 12)');
    await scene.sql('UPDATE audit.chain SET number = 21 - (number - 1000) WHERE number > 1000');
    expect(await first()).toMatchObject({ wrong: 'reordered', number: 9 });
  });
});

describe('where log and chain were changed together', () => {
  it('the signed checkpoint tells between which entries, and what is shown which one it was', async () => {
    await scene.sql(
      `UPDATE log.events SET data = jsonb_set(data::jsonb, '{uploadedBy}', '"x"')::json WHERE position = 22`,
    );
    await chainAnew();
    expect((await scene.verify()).problems).toMatchObject([
      { wrong: 'changed', number: 17, upTo: 31 },
      { wrong: 'shown', number: 22, eventId: await idOf(22) },
    ]);
  });

  it('an event that was taken out is told', async () => {
    const eventId = await idOf(22);
    await scene.sql('DELETE FROM log.events WHERE position = 22');
    await chainAnew();
    expect((await scene.verify()).problems).toMatchObject([
      { wrong: 'shown', number: 22, eventId },
      { wrong: 'tail', number: 31, upTo: 31 },
    ]);
  });

  it('and the end was cut off, a checkpoint that was kept elsewhere tells', async () => {
    const kept = await scene.checkpoint();
    await scene.sql('DELETE FROM log.events WHERE position > 16');
    await scene.sql('DELETE FROM audit.chain WHERE number > 16');
    await scene.sql('DELETE FROM audit.checkpoints WHERE sequence > 1');
    await scene.sql('DELETE FROM read.audit_entries WHERE seq > 16');
    await scene.sql(`UPDATE audit.place SET number = 16, cursor = '16'`);
    expect((await scene.verify()).problems).toEqual([]);
    expect(await first({ kept })).toMatchObject({ wrong: 'tail', number: 17, upTo: 31 });
  });
});

describe('among the checkpoints', () => {
  const change = (sql: string) => scene.sql(`UPDATE audit.checkpoints SET checkpoint = ${sql} WHERE sequence = 1`);

  it.each([
    ['a changed time', `jsonb_set(checkpoint::jsonb, '{at}', '"2020-01-01T00:00:00.000Z"')::json`, 'signature'],
    [
      'a signature of another',
      `jsonb_set(checkpoint::jsonb, '{signature}', to_jsonb(repeat('A', 86)))::json`,
      'signature',
    ],
    ['nonsense', `'{"number": 16}'::json`, 'checkpoint'],
  ])('%s is told', async (_, sql, wrong) => {
    await change(sql);
    expect(await first()).toMatchObject({ wrong, number: 16 });
  });

  it('a removed one is told', async () => {
    await scene.sql('DELETE FROM audit.checkpoints WHERE sequence = 1');
    expect(await first()).toMatchObject({ wrong: 'checkpoint', number: 31 });
  });

  it('one of another key is told', async () => {
    expect(await first({ anchors: new Set(['A'.repeat(43)]) })).toMatchObject({ wrong: 'signature', number: 16 });
  });
});

describe('in what is shown', () => {
  it.each([
    ['its words', `summary = 'Nothing happened'`],
    ['who did it', `actor_name = 'somebody else'`],
    ['what was changed', `changes = '[]'`],
    ['when', `recorded_at = recorded_at - interval '1 hour'`],
    ['its target', `target_label = 'other.pkg'`],
  ])('a change of %s is told', async (_, change) => {
    await scene.sql(`UPDATE read.audit_entries SET ${change} WHERE seq = 10`);
    expect((await scene.verify()).problems).toMatchObject([{ wrong: 'shown', number: 10, eventId: await idOf(10) }]);
  });

  it('a removed entry is told', async () => {
    await scene.sql('DELETE FROM read.audit_entries WHERE seq = 10');
    expect(await first()).toMatchObject({ wrong: 'removed', number: 10, eventId: await idOf(10) });
  });

  it('an entry that nothing in the log stands for is told', async () => {
    await scene.sql(`INSERT INTO read.audit_entries (seq, event_id, kind, recorded_at, actor_kind, actor_id, actor_name, server_id, correlation_id, target_type, target_id, summary, details)
      SELECT 32, gen_random_uuid(), kind, recorded_at, actor_kind, actor_id, actor_name, server_id, correlation_id, target_type, target_id, summary, details FROM read.audit_entries WHERE seq = 10`);
    expect(await first()).toMatchObject({ wrong: 'inserted', number: 32 });
  });

  it('two that changed places are told', async () => {
    await scene.sql('UPDATE read.audit_entries SET seq = seq + 1000 WHERE seq IN (10, 11)');
    await scene.sql('UPDATE read.audit_entries SET seq = 21 - (seq - 1000) WHERE seq > 1000');
    expect(await first()).toMatchObject({ wrong: 'shown', number: 10 });
  });
});
