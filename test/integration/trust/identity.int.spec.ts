import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StartupError } from '../../../src/kernel/errors.js';
import { verifyEd25519 } from '../../../src/platform/peer-calls/ed25519.js';
import { eventsOf, ServerHome } from '../../support/trusted-server.js';

let home: ServerHome;
beforeEach(async () => {
  home = await ServerHome.create();
});
afterEach(() => home.remove());

const recorded = async () => (await eventsOf(home.store, 'server')).map(({ type }) => type);
const query = (sql: string) => home.dataSource.query(sql);

describe('server identity', () => {
  it('is made at the first start and stays', async () => {
    const first = await home.identity({ name: 'Berlin', url: 'http://berlin:1', stage: 'Dev' });
    const second = await home.identity();
    const { serverId, publicKey, name, url, stage } = second;
    expect({ serverId, publicKey }).toEqual({ serverId: first.serverId, publicKey: first.publicKey });
    expect({ name, url, stage }).toEqual({ name: 'Berlin', url: 'http://berlin:1', stage: 'Dev' });
    expect(await recorded()).toEqual(['ServerInitialised']);
    const message = Buffer.from('message');
    expect(verifyEd25519(first.publicKey, message, second.sign(message))).toBe(true);
  });

  it('is the same when the first start is cut off before the event, or runs twice at once', async () => {
    const before = await home.identity();
    await query('TRUNCATE log.events');
    const starts = await Promise.all([home.identity(), home.identity(), home.identity()]);
    expect(new Set(starts.map(({ publicKey }) => publicKey))).toEqual(new Set([before.publicKey]));
    expect(await recorded()).toEqual(['ServerInitialised']);
  });

  it('takes over what the environment says, once', async () => {
    await home.identity();
    for (const _ of [1, 2]) await home.identity({ name: 'Hamburg', stage: 'Test' });
    expect(await home.identity()).toMatchObject({ name: 'Hamburg', stage: 'Test' });
    expect(await recorded()).toEqual(['ServerInitialised', 'ServerSettingsChanged']);
  });

  it('says in one line which setting it cannot use', async () => {
    await expect(home.identity({ url: 'http://berlin/a/../b' })).rejects.toThrow(StartupError);
    await home.identity();
    await expect(home.identity({ url: 'http://berlin/a/../b' })).rejects.toThrow(/ODST_URL is invalid/);
  });

  it('keeps the private key out of log and database', async () => {
    await home.identity();
    const [row]: { ciphertext: Buffer }[] = await query('SELECT ciphertext FROM state.server_secrets');
    expect(row?.ciphertext.toString('latin1')).not.toContain('privateKey');
    expect(JSON.stringify((await eventsOf(home.store, 'server')).map(({ data }) => data))).not.toContain('privateKey');
  });

  it('does not start with another key, a lost key file, or a lost key pair', async () => {
    await home.identity();
    await expect(home.identity({ secretKey: randomBytes(32) })).rejects.toThrow(StartupError);
    await rm(join(home.dataDir, 'secret.key'));
    await expect(home.identity()).rejects.toThrow(/secret\.key is gone/);
    await query('DELETE FROM state.server_secrets');
    await expect(home.identity()).rejects.toThrow(/private key is not in this database/);
  });
});
