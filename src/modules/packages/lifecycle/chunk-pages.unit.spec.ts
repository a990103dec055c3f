import { describe, expect, it } from 'vitest';
import { MAX_EVENT_BYTES } from '../../../ports/event-store.port.js';
import { splitIntoAppends, toPages } from './chunk-pages.js';

const digests = (chunks: number) => ({
  sha1: Buffer.from(Array.from({ length: chunks * 20 }, (_, i) => Math.floor(i / 20))),
  sha256: Buffer.from(Array.from({ length: chunks * 32 }, (_, i) => Math.floor(i / 32))),
});

describe('pages of chunk digests', () => {
  it.each([0, 1, 511, 512, 513, 10_000])('hold all of %i chunks in order', (chunks) => {
    const pages = toPages(digests(chunks));
    const all = (name: 'sha1' | 'sha256'): Buffer =>
      Buffer.concat(pages.map((page) => Buffer.from(page[name], 'base64')));
    expect(all('sha1').equals(digests(chunks).sha1)).toBe(true);
    expect(all('sha256').equals(digests(chunks).sha256)).toBe(true);
    expect(pages.reduce((next, page) => (page.first === next ? next + page.count : -1), 0)).toBe(chunks);
  });

  it('are small enough for an event, and so are the appends for the log', () => {
    const pages = toPages(digests(20_000));
    for (const page of pages) expect(JSON.stringify(page).length).toBeLessThan(MAX_EVENT_BYTES - 1024);
    const { before, last } = splitIntoAppends(pages);
    for (const batch of [...before, last]) expect(JSON.stringify(batch).length).toBeLessThan(512 * 1024 - 16 * 1024);
    expect([...before.flat(), ...last]).toEqual(pages);
  });
});
