import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PatientLimit } from '../../platform/limits/patient-limit.js';
import { PasswordHashing } from '../../platform/secrets/password-hashing.js';
import { BasicAuth, DownloadPasswords, WRONG_PAIRS, WRONG_PAIRS_TO_HASH } from './basic-auth.js';
import type { DownloadProtection } from './contracts/download.events.js';

const ID = '0b5f0a36-5b7d-4f6e-9d0c-6f7d3c1e2a90';
const WANTED: DownloadProtection = { mode: 'BASIC', username: 'munki', credentialId: ID, networks: [] };
const RIGHT = { username: 'munki', password: 'the right password' };
const HERE = '192.0.2.1';
const tooMany = { code: 'TOO_MANY_REQUESTS' };

/** Stands for the database, which keeps the hash of the right password across restarts. */
class StoredHere extends DownloadPasswords {
  pairDigest: Buffer | null = null;

  constructor() {
    super(Object.create(null), Object.assign(Object.create(null), { findOrStore: async () => Buffer.alloc(32, 7) }));
  }

  override async findPassword(id: string) {
    return id === ID ? { hash: RIGHT.password, pairDigest: this.pairDigest } : null;
  }

  override async rememberPair(_id: string, pairDigest: Buffer): Promise<void> {
    this.pairDigest = pairDigest;
  }
}

/** Counts the checks of hashes. */
class Hashes extends PasswordHashing {
  checks = 0;

  override async matchesHash(stored: string | null, password: string): Promise<boolean> {
    this.checks += 1;
    return stored === password;
  }
}

let stored: StoredHere;
let hashes: Hashes;
let auth: BasicAuth;
beforeEach(async () => {
  // The limit is counted in a time that stands still.
  vi.useFakeTimers({ toFake: ['Date'] });
  stored = new StoredHere();
  stored.pairDigest = await stored.digestPair(ID, RIGHT);
  hashes = new Hashes();
  auth = new BasicAuth(stored, hashes);
});
afterEach(() => void vi.useRealTimers());
const tryPair = (password: string, { username = 'munki', address = HERE } = {}) =>
  auth.checkCredentials({ username, password }, WANTED, address);
const guess = (count: number) => Promise.allSettled(Array.from({ length: count }, (_, i) => tryPair(`guess ${i}`)));

describe('the right pair of downloads', () => {
  it('is let in at once in the midst of guesses and after a restart, 8 of 8 times, without a check of its hash', async () => {
    for (const restarted of [false, true]) {
      if (restarted) auth = new BasicAuth(stored, hashes);
      const guesses = guess(150);
      for (let i = 0; i < 8; i += 1) expect(await tryPair(RIGHT.password)).toBe(true);
      await guesses;
      for (let i = 0; i < 8; i += 1) expect(await tryPair(RIGHT.password)).toBe(true);
    }
    expect(hashes.checks).toBe(0);
  });

  it('is let in also beyond the limit, after it has waited for its turn', async () => {
    const guesses = guess(WRONG_PAIRS.burst + 2);
    expect(await tryPair(RIGHT.password)).toBe(true);
    const refused = (await guesses).filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    await expect(tryPair('one more')).rejects.toMatchObject(tooMany);
    expect(await tryPair('one more')).toBe(false);
    expect(await tryPair('one more', { address: '192.0.2.2' })).toBe(false);
  });

  it('is the same in any normal form of its letters, and another with another name', async () => {
    stored.pairDigest = await stored.digestPair(ID, { username: 'é', password: 'ö'.repeat(12) });
    auth = new BasicAuth(stored, hashes);
    const wanted = { ...WANTED, username: 'é' };
    const password = 'o\u0308'.repeat(12);
    expect(await auth.checkCredentials({ username: 'e\u0301', password }, wanted, HERE)).toBe(true);
    expect(await auth.checkCredentials({ username: 'e', password }, wanted, HERE)).toBe(false);
    expect(await auth.checkCredentials({ username: 'é', password }, WANTED, HERE)).toBe(false);
  });

  it('of an earlier version is checked by its hash until it has been right once, in whatever process', async () => {
    stored.pairDigest = null;
    for (let i = 0; i < 9; i += 1) expect(await tryPair(`wrong ${i}`)).toBe(false);
    expect(await tryPair(RIGHT.password)).toBe(true);
    expect(hashes.checks).toBe(10);
    await guess(100);
    auth = new BasicAuth(stored, hashes);
    expect(await tryPair(RIGHT.password)).toBe(true);
    expect(hashes.checks).toBe(10);
  });
});

describe('guessing', () => {
  it('the same wrong pair counts once, however often it is sent', async () => {
    for (let i = 0; i < 2_000; i += 1) expect(await tryPair('the old password')).toBe(false);
    expect(await tryPair('another')).toBe(false);
  });

  it('nothing is right without a password, or with one that is not there', async () => {
    for (const credentialId of [null, 'c0a80101-0000-4000-8000-000000000000'])
      expect(await auth.checkCredentials(RIGHT, { ...WANTED, credentialId }, HERE)).toBe(false);
  });

  it.each([
    ['a known pair', WRONG_PAIRS, 200, 600],
    ['a pair that is known by its hash', WRONG_PAIRS_TO_HASH, 10, 252],
  ])('is slow for %s: so many in the first moment, and so many in each minute', async (_, limits, first, minute) => {
    let nowMs = 0;
    const limit = new PatientLimit(
      'Too many',
      limits,
      async (ms) => void (nowMs += ms),
      () => nowMs,
    );
    let judged = 0;
    const judge = async () => {
      judged += 1;
      return null;
    };
    const elapsed = () => nowMs;
    while (elapsed() === 0) await limit.check(HERE, judge).catch(() => undefined);
    expect(judged).toBe(first + 1);
    while (elapsed() < 60_000) await limit.check(HERE, judge).catch(() => undefined);
    expect(judged).toBeLessThanOrEqual(first + 1 + minute);
    expect(judged).toBeGreaterThan(first + minute / 2);
  });
});
