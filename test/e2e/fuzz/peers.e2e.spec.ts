import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ActingPeer } from '../../support/fuzz/acting-peer.js';
import { codesOf } from '../../support/fuzz/answers.js';
import { fuzz } from '../../support/fuzz/runs.js';
import { FuzzScene } from '../../support/fuzz/scene.js';
import { headerText, nastyJson, nastyNumber, nastyText, urlText } from '../../support/fuzz/values.js';

let scene: FuzzScene;
let peer: ActingPeer;
beforeAll(async () => {
  scene = await FuzzScene.start('fuzz-peers');
  peer = await ActingPeer.register(scene);
});
afterAll(() => scene.dispose());
afterEach(() => scene.expectHealthy());

const GETS = [
  '/peer/v1/inventory?stage=Dev',
  '/peer/v1/inventory/0',
  '/peer/v1/refused',
  '/peer/v1/packages/ID/manifest',
  '/peer/v1/packages/ID/chunks',
  '/peer/v1/packages/ID/why-not',
  '/peer/v1/packages/ID/content',
  '/peer/v1/nothing',
  '/peer/v1/tunnel',
  '/cluster/v1/tunnels/x/y',
];
const POSTS = ['/peer/v1/registrations', '/peer/v1/key', '/peer/v1/items'];
const target = fc.constantFrom(
  ...GETS.map((path) => ['GET', path] as const),
  ...POSTS.map((path) => ['POST', path] as const),
  ['GET', '/peer/v1/feed'] as const,
);
const path = (of: string): string => of.replace('ID', scene.packageId);

describe('calls that are not let in', () => {
  const refused = [400, 401, 403, 404, 413, 429];

  it('without a signature, or with anything in its place', async () => {
    const headers = fc.dictionary(
      fc.constantFrom(
        'signature',
        'signature-input',
        'content-digest',
        'odst-recipient',
        'authorization',
        'content-type',
        'date',
      ),
      fc.oneof(
        headerText,
        fc.constantFrom(
          'sig=:AAAA:',
          'sig=("@method" "@authority");keyid="x"',
          'sig=();created=1;keyid="\\""',
          'sig1=:x:, sig2=:y:',
          'sha-256=:AAAA:',
        ),
      ),
      { maxKeys: 6 },
    );
    await fuzz(
      fc.tuple(target, headers, nastyJson),
      async ([[method, where], given, body]) => {
        const text = method === 'POST' ? JSON.stringify(body) : '';
        const lines = Object.entries({ ...given, ...scene.fromElsewhere() })
          .map(([name, value]) => `${name}: ${value}\r\n`)
          .join('');
        const answer = await scene.raw(
          `${method} ${path(where)} HTTP/1.1\r\nHost: 127.0.0.1:${scene.server.port}\r\n${lines}Content-Length: ${Buffer.byteLength(text, 'latin1')}\r\n\r\n${text}`,
        );
        expect(refused).toContain(answer?.status);
      },
      { share: 2 },
    );
  });

  it('signed well, and changed after that', async () => {
    const change = fc.record({
      header: fc.constantFrom('signature', 'signature-input', 'content-digest', 'odst-recipient'),
      at: fc.nat({ max: 300 }),
      to: fc.constantFrom('', 'x', '"', ';', '=', ':', '\\', ' ', '(', ')', '9'),
    });
    await fuzz(
      fc.tuple(target, change),
      async ([[method, where], { header, at, to }]) => {
        const call = peer.call(method, path(where), method === 'POST' ? {} : undefined);
        const before = call.headers[header] ?? '';
        const cut = at % before.length;
        const after = before.slice(0, cut) + to + before.slice(cut + 1);
        // White space at the ends of a header is no part of it.
        if (after.trim() === before.trim()) return;
        const answer = await scene.fetch(path(where), { ...call, headers: { ...call.headers, [header]: after } });
        expect([401, 404]).toContain(answer.status);
      },
      { share: 2 },
    );
  });

  it('signed for another call', async () => {
    await fuzz(fc.tuple(target, target, urlText), async ([[method, where], [otherMethod, other], query]) => {
      const call = peer.call(method, path(where));
      const text = `${path(other)}${other.includes('?') ? '&' : '?'}x=${query}`;
      const answer = await scene.fetch(text, { method: otherMethod, headers: call.headers });
      expect([401, 404]).toContain(answer.status);
    });
  });

  it('a copy of one that was let in', async () => {
    const where = `/peer/v1/packages/${scene.packageId}/manifest`;
    const call = peer.call('GET', where);
    expect((await scene.fetch(where, call)).status).toBe(200);
    expect(codesOf(await scene.fetch(where, call))).toEqual(['PEER_CALL_REPLAYED']);
  });
});

describe('calls of a registered peer', () => {
  const items = fc.record(
    { ids: fc.oneof(fc.array(fc.oneof(nastyText, fc.uuid()), { maxLength: 5 }), nastyJson) },
    { requiredKeys: [] },
  );
  const key = fc.record(
    { publicKey: nastyJson, rotation: fc.oneof(nastyNumber, nastyJson), proof: nastyJson },
    { requiredKeys: [] },
  );

  it('with any body', async () => {
    const body = fc.oneof(nastyJson, items, key, nastyText);
    await fuzz(
      fc.tuple(fc.constantFrom('/peer/v1/items', '/peer/v1/key'), body),
      async ([where, given]) => {
        await scene.fetch(where, peer.call('POST', where, given));
      },
      { share: 2 },
    );
  });

  it('with any query, id and range', async () => {
    const query = fc.dictionary(
      fc.constantFrom('stage', 'bucket', 'after', 'first'),
      fc.oneof(urlText, nastyNumber.map(String), fc.constantFrom('Dev', '0')),
      { maxKeys: 4 },
    );
    const where = fc.oneof(
      fc.tuple(fc.constantFrom('/peer/v1/inventory', '/peer/v1/inventory/0', '/peer/v1/refused'), query).map(
        ([start, given]) =>
          `${start}?${Object.entries(given)
            .map(([name, value]) => `${name}=${value}`)
            .join('&')}`,
      ),
      fc
        .tuple(urlText, fc.constantFrom('manifest', 'chunks', 'content', 'x'))
        .map(([id, what]) => `/peer/v1/packages/${id}/${what}`),
      fc.constantFrom('manifest', 'chunks', 'content').map((what) => `/peer/v1/packages/KNOWN/${what}`),
    );
    await fuzz(
      fc.tuple(where, fc.option(headerText)),
      async ([start, range]) => {
        const asked = start.replace('KNOWN', scene.packageId);
        const call = peer.call('GET', asked);
        const printable = range?.replaceAll(/[^\x20-\x7e]/g, '');
        await scene.fetch(asked, { ...call, headers: { ...call.headers, ...(printable && { range: printable }) } });
      },
      { share: 2 },
    );
  });

  it('registrations with anything in them', async () => {
    const registration = fc.record(
      {
        invitationId: fc.oneof(fc.uuid(), nastyJson),
        secret: nastyJson,
        name: nastyJson,
        url: fc.oneof(nastyText, fc.constantFrom('http://x', 'file:///etc/passwd', 'http://169.254.169.254/')),
        expectedKey: nastyJson,
      },
      { requiredKeys: [] },
    );
    await fuzz(registration, async (given) => {
      const body = { serverId: peer.identity.serverId, publicKey: peer.identity.publicKey, ...given };
      const answer = await scene.fetch(
        '/peer/v1/registrations',
        peer.call('POST', '/peer/v1/registrations', body, null),
      );
      expect([400, 401, 403, 409, 410, 429]).toContain(answer.status);
    });
  });

  it('a body that is too large', async () => {
    const call = peer.call('POST', '/peer/v1/key', 'x'.repeat(70_000));
    expect(codesOf(await scene.fetch('/peer/v1/key', call))).toEqual(['TOO_LARGE']);
  });
});
