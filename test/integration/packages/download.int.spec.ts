import { randomBytes } from 'node:crypto';
import { get as httpGet } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LearnPackage } from '../../../src/modules/packages/contracts/package-reports.js';
import { DeleteRemovedFile } from '../../../src/modules/packages/lifecycle/delete-removed-file.reaction.js';
import { RemovePackage, SetPackageStage } from '../../../src/modules/packages/lifecycle/change-package.command.js';
import { factsIn, startPackageApp, type PackageApp } from '../../support/package-app.js';
import { waitFor } from '../../support/wait-for.js';

const bytes = randomBytes(3_000_000);
const small = Buffer.from('0123456789');

let app: PackageApp;
const upload = async (name: string, content: Buffer): Promise<{ id: string }> => {
  const url = `${app.url}/api/packages/${encodeURIComponent(name)}?allowEmpty=true`;
  const reply = await fetch(url, { method: 'PUT', body: new Uint8Array(content) });
  expect(reply.status).toBe(201);
  const { id } = (await reply.json()) as { id: string };
  return { id };
};
const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
  fetch(`${app.url}${path}`, { headers, method });
const bodyOf = async (reply: Response): Promise<Buffer> => Buffer.from(await reply.arrayBuffer());

beforeAll(async () => {
  app = await startPackageApp();
  await upload('big.pkg', bytes);
  await upload('small.dmg', small);
  await upload('empty.txt', Buffer.alloc(0));
});
afterAll(() => app.stop());

describe('what is served', () => {
  it('is remembered until a package changes', async () => {
    await get('/Packages/small.dmg');
    const before = app.questions.asked;
    await Promise.all(Array.from({ length: 20 }, () => get('/Packages/small.dmg')));
    expect(app.questions.asked).toBe(before);
    await app.changes.reflect();
    await Promise.all(Array.from({ length: 20 }, () => get('/Packages/small.dmg')));
    expect(app.questions.asked).toBe(before + 1);
  });

  it('is gone with a removal, while downloads under way end normally', async () => {
    const content = randomBytes(20_000_000);
    const { id } = await upload('doomed.pkg', content);
    const reply = await get('/Packages/doomed.pkg');
    await app.commands.execute(new RemovePackage(id));
    await app.commands.execute(new DeleteRemovedFile(id));
    await app.commands.execute(new DeleteRemovedFile(id));
    await app.changes.reflect();
    expect(await app.packages()).not.toContain(id);
    expect((await get('/Packages/doomed.pkg')).status).toBe(404);
    expect((await bodyOf(reply)).equals(content)).toBe(true);
    await expect(app.commands.execute(new RemovePackage(id))).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND' });
    await upload('doomed.pkg', content);
    await app.commands.execute(new DeleteRemovedFile(id));
    expect((await get('/Packages/doomed.pkg')).status).toBe(200);
  });

  it('says so when the file is missing', async () => {
    const { id } = await upload('lost.pkg', Buffer.from('lost'));
    await app.storage.removeStored(id);
    const reply = await get('/Packages/lost.pkg');
    expect(reply.status).toBe(503);
    expect(await reply.json()).toMatchObject({ code: 'UNAVAILABLE' });
    expect(app.jobs).toContainEqual(expect.objectContaining({ name: 'verify-package', data: { packageId: id } }));
  });

  it('survives clients that leave in the middle', async () => {
    await upload('long.pkg', randomBytes(30_000_000));
    for (let i = 0; i < 200; i++) {
      await new Promise<void>((resolve, reject) => {
        const request = httpGet(`${app.url}/Packages/long.pkg`, (reply) => {
          reply.once('data', () => request.destroy());
          reply.once('close', resolve).once('error', () => undefined);
        }).once('error', (error) => (String(error).includes('aborted') ? resolve() : reject(error)));
      });
    }
    expect((await bodyOf(await get('/Packages/long.pkg'))).length).toBe(30_000_000);
  });

  it('answers pipelined requests in order', async () => {
    const socket = connect(app.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => (answer += data.toString('latin1')));
    const ask = (range: string): string =>
      `GET /Packages/small.dmg HTTP/1.1\r\nHost: a\r\nRange: bytes=${range}\r\n\r\n`;
    socket.write(ask('0-2') + ask('3-5') + ask('6-9'));
    await waitFor('three answers', () => answer.endsWith('6789'), 5_000);
    expect(answer.match(/\r\n\r\n\d+/g)).toEqual(['\r\n\r\n012', '\r\n\r\n345', '\r\n\r\n6789']);
    socket.destroy();
  });
});

describe('commands', () => {
  it('changes the stage, and refuses for unknown packages', async () => {
    const { id } = await upload('staged.pkg', Buffer.from('staged'));
    await app.commands.execute(new SetPackageStage(id, 'Dev'));
    expect(factsIn(app.store).find((facts) => facts.packageId === id)?.stage).toBe('Dev');
    await expect(app.commands.execute(new SetPackageStage('nope', 'Dev'))).rejects.toMatchObject({
      code: 'PACKAGE_NOT_FOUND',
    });
  });

  it('learns from peers only what can be', async () => {
    const { id } = await upload('known.pkg', Buffer.from('known'));
    const facts = factsIn(app.store).find((known) => known.packageId === id);
    if (!facts) throw new Error('not recorded');
    const learn = (change: object): Promise<unknown> =>
      app.commands.execute(new LearnPackage({ ...facts, ...change }, [], { peerId: 'b', name: 'B' }));
    const before = app.store.all.length;
    await learn({});
    expect(app.store.all.length).toBe(before);
    const ahead = `${(Date.now() + 600_000).toString(16).padStart(12, '0')}-0000-b`;
    await expect(learn({ filename: '../x' })).rejects.toMatchObject({ code: 'INVALID_FILENAME' });
    await expect(learn({ filename: 'other.pkg' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(learn({ publication: 'zzz' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(learn({ removal: ahead })).rejects.toMatchObject({ code: 'STAMP_AHEAD' });
    await expect(learn({ sha1: 'other' })).rejects.toMatchObject({ code: 'PACKAGE_CONFLICT' });
    const soon = `${(Date.now() + 60_000).toString(16).padStart(12, '0')}-0000-b`;
    await learn({ stage: 'Dev', stageStamp: soon });
    await app.commands.execute(new SetPackageStage(id, 'Prod'));
    expect(factsIn(app.store).find((known) => known.packageId === id)?.stage).toBe('Prod');
  });
});
