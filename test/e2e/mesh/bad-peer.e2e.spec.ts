import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FaultProxy, Tamper } from '../../support/fault-proxy.js';
import { RealMesh } from '../../support/real-mesh.js';
import { sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1024 * 1024;
const HTML = '<html><body>It works!</body></html>';
const answer = (status: string, body: string): Buffer =>
  Buffer.from(`HTTP/1.1 ${status}\r\ncontent-type: text/html\r\ncontent-length: ${body.length}\r\n\r\n${body}`);

/** Of answers with package bytes only; the rest passes. */
const ofContent =
  (change: Tamper): Tamper =>
  (bytes, head) =>
    head.includes('/content') ? change(bytes, head) : bytes;

function flipped(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  if (changed.length > 1_000) changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 0xff, changed.length - 1);
  return changed;
}

/** The first `after` bytes of each request's answer pass. */
function truncated(proxy: FaultProxy, after: number): Tamper {
  const passed = new Map<string, number>();
  return ofContent((bytes, head) => {
    const before = passed.get(head) ?? 0;
    passed.set(head, before + bytes.length);
    if (before + bytes.length <= after) return bytes;
    setImmediate(() => proxy.cut(/\/content/));
    return null;
  });
}

const FAULTS: readonly (readonly [string, (proxy: FaultProxy) => Tamper])[] = [
  ['sends wrong bytes', () => ofContent(flipped)],
  ['ends its answers in the middle', (proxy) => truncated(proxy, 1.5 * MIB)],
  ['stalls for ever', () => ofContent(() => null)],
  ['answers 500', () => ofContent(() => answer('500 Internal Server Error', HTML))],
  ['answers 200 with a page of HTML', () => ofContent(() => answer('200 OK', HTML))],
];

/** 0 has the package, 1 too, and 2 is registered with both. */
let mesh: RealMesh;
beforeAll(async () => {
  mesh = await RealMesh.start(3, [
    [0, 1],
    [1, 2],
    [0, 2],
  ]);
});
afterAll(() => mesh.dispose());
afterEach(() => {
  for (const called of [0, 1]) mesh.proxy(2, called).tamper = (bytes) => bytes;
});

const upload = async (filename: string, size: number): Promise<string> => {
  const bytes = randomBytes(size);
  expect((await mesh.at(0).put(filename, bytes)).status).toBe(201);
  return sha256(bytes);
};

describe.each(FAULTS)('one peer %s', (name, fault) => {
  const prefix = name.replaceAll(/\W+/g, '-');

  it('and another is good: the package comes all the same', async () => {
    mesh.proxy(2, 0).tamper = fault(mesh.proxy(2, 0));
    const digest = await upload(`${prefix}-two.pkg`, 24 * MIB);
    await mesh.converges(new Map([[`${prefix}-two.pkg`, digest]]));
  });

  it('and is the only one: nothing wrong is served, and it comes when the peer is well again', async () => {
    for (const called of [0, 1]) mesh.proxy(2, called).tamper = fault(mesh.proxy(2, called));
    const digest = await upload(`${prefix}-one.pkg`, 4 * MIB);
    const asked = mesh.proxy(2, 0).requests.length;
    await waitFor('some tries', () =>
      mesh
        .proxy(2, 0)
        .requests.slice(asked)
        .some((line) => line.includes('/content')),
    );
    expect(await mesh.at(2).servedDigest(`${prefix}-one.pkg`)).toBeNull();
    for (const called of [0, 1]) {
      mesh.proxy(2, called).tamper = (bytes) => bytes;
      // Those that stall: the peer that is well again would close them too.
      mesh.proxy(2, called).cut(/\/content/);
    }
    await mesh.converges(new Map([[`${prefix}-one.pkg`, digest]]));
  });
});

describe('a feed', () => {
  /** Changes the pieces of feeds that carry items. */
  const ofFeed =
    (change: (text: string) => string | null): Tamper =>
    (bytes, head) => {
      const text = bytes.toString('utf8');
      if (!head.includes('/peer/v1/feed') || !text.includes('data:')) return bytes;
      const changed = change(text);
      return changed === null ? null : Buffer.from(changed);
    };

  it('that sends garbage, twice the same, or old before new, does no harm', async () => {
    const held: string[] = [];
    const changes: ((text: string) => string | null)[] = [
      (text) => `data: {"nonsense": true}\n\n${text}`,
      (text) => text + text,
      (text) => `data: not json\n\n${text}`,
      (text) => {
        held.push(text);
        return null;
      },
      (text) => text + held.splice(0).join(''),
      (text) => `\u0000\u0001garbage\n\n${text}`,
    ];
    let next = 0;
    mesh.proxy(2, 1).tamper = (bytes) => bytes;
    mesh.proxy(2, 0).tamper = ofFeed((text) => changes[next++ % changes.length]?.(text) ?? null);
    mesh.proxy(2, 0).cut(/feed/);
    const files = new Map<string, string>();
    for (let i = 0; i < 2 * changes.length; i++) files.set(`feed-${i}.pkg`, await upload(`feed-${i}.pkg`, 10_000 + i));
    mesh.proxy(2, 0).tamper = (bytes) => bytes;
    mesh.proxy(2, 0).cut(/feed/);
    await mesh.converges(files);
  });
});
