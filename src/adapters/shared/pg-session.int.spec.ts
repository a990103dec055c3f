import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { disconnect } from '../../../test/support/postgres-faults.js';
import { createEmptyDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { PgSession, type PgSessionOptions } from './pg-session.js';

const NAME = 'odst session under test';
let database: TestDatabase;
const sessions: PgSession[] = [];

beforeEach(async () => {
  database = await createEmptyDatabase();
});
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
  await database.drop();
});

function makeSession(options: Partial<PgSessionOptions> = {}): PgSession {
  const session = new PgSession(database.settings, { name: NAME, ...options });
  sessions.push(session);
  return session;
}
const processOf = (session: PgSession): Promise<number> =>
  session.use(async (client) => {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    return rows[0]?.pid ?? 0;
  });
const killed = async (session: PgSession): Promise<void> => {
  await disconnect(database.settings, NAME);
  await vi.waitFor(() => expect(session.isConnected).toBe(false));
};

describe('a session that is opened by its use', () => {
  it('runs one piece of work after the other on one connection', async () => {
    const session = makeSession();
    expect(session.isConnected).toBe(false);
    const order: string[] = [];
    const first = session.use(async (client) => {
      await client.query('SELECT pg_sleep(0.05)');
      order.push('first');
    });
    const second = session.use(async () => void order.push('second'));
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
    expect(await processOf(session)).toBe(await processOf(session));
  });

  it('is made and prepared anew after its loss, which is told', async () => {
    const prepare = vi.fn<() => Promise<void>>(async () => undefined);
    const onLost = vi.fn<() => void>();
    const session = makeSession({ prepare, onLost });
    const before = await processOf(session);
    await killed(session);
    expect(onLost).toHaveBeenCalledOnce();
    await delay(100);
    expect(session.isConnected).toBe(false);
    expect(await processOf(session)).not.toBe(before);
    expect(prepare).toHaveBeenCalledTimes(2);
  });

  it.each([
    [true, 1],
    [false, 0],
  ])('ends after failed work if it is told to (%s)', async (endsOnError, losses) => {
    const onLost = vi.fn<() => void>();
    const session = makeSession({ endsOnError, onLost });
    const before = await processOf(session);
    await expect(session.use((client) => client.query('SELECT 1/0'))).rejects.toThrow('division by zero');
    expect(onLost).toHaveBeenCalledTimes(losses);
    expect((await processOf(session)) === before).toBe(!endsOnError);
  });

  it('cannot be used when its preparation fails, and tries again with the next use', async () => {
    const prepare = vi.fn<() => Promise<void>>().mockRejectedValueOnce(new Error('no lock'));
    const session = makeSession({ prepare });
    await expect(processOf(session)).rejects.toThrow('no lock');
    expect(await processOf(session)).toBeGreaterThan(0);
  });

  it('limits the time of a query', async () => {
    const session = makeSession({ queryTimeoutMs: 50 });
    await expect(session.use((client) => client.query('SELECT pg_sleep(60)'))).rejects.toThrow('timeout');
  });
});

describe('a session that is kept connected', () => {
  it('hears of all channels again after it was lost', async () => {
    const heard: string[] = [];
    const connected: boolean[] = [];
    const session = makeSession({
      channels: ['one'],
      onNotification: (channel, payload) => heard.push(`${channel} ${payload}`),
      onConnected: (isFirst) => connected.push(isFirst),
    });
    await session.keepConnected();
    expect(session.isConnected).toBe(true);
    session.addChannel('two');
    const notify = (payload: string): Promise<unknown> =>
      session.use((client) => client.query(`NOTIFY one, '${payload}'; NOTIFY two, '${payload}'`));
    await notify('before');
    await killed(session);
    await vi.waitFor(() => expect(session.isConnected).toBe(true), { timeout: 5_000 });
    await notify('after');
    await vi.waitFor(() => expect(heard).toEqual(['one before', 'two before', 'one after', 'two after']));
    expect(connected).toEqual([true, false]);
  });

  it('listens to a channel that is added while it connects', async () => {
    const heard: string[] = [];
    const session = makeSession({ onNotification: (_channel, payload) => heard.push(payload) });
    const connecting = session.keepConnected();
    session.addChannel('late');
    await connecting;
    await session.use((client) => client.query("NOTIFY late, 'now'"));
    await vi.waitFor(() => expect(heard).toEqual(['now']));
  });

  it('goes on trying when the first attempts fail', async () => {
    const connected: boolean[] = [];
    let failures = 2;
    const session = makeSession({
      onConnected: (isFirst) => connected.push(isFirst),
      prepare: async () => {
        if (failures-- > 0) throw new Error('not yet');
      },
    });
    await session.keepConnected();
    expect(session.isConnected).toBe(false);
    await vi.waitFor(() => expect(connected).toEqual([false]), { timeout: 5_000 });
  });

  it('comes back after it was restarted', async () => {
    const session = makeSession();
    await session.keepConnected();
    const before = await processOf(session);
    session.restart();
    // The session may be connected again before anybody could see that it was not.
    await vi.waitFor(async () => expect(await processOf(session)).not.toBe(before), { timeout: 5_000 });
  });

  it('does not come back after it was closed, and does not call that a loss', async () => {
    const onLost = vi.fn<() => void>();
    const session = makeSession({ onLost });
    await session.keepConnected();
    await session.close();
    await delay(150);
    expect(session.isConnected).toBe(false);
    expect(onLost).not.toHaveBeenCalled();
    await expect(processOf(session)).rejects.toThrow('The session has ended');
  });
});
