import { describe, expect, it } from 'vitest';
import { MemoryEventStore } from '../../../../test/support/memory-event-store.js';
import { SigningServer } from '../../../../test/support/signing-server.js';
import { type Introduction, introductionText } from '../../../kernel/introduction.js';
import type { RecordedEvent } from '../../../kernel/events.js';
import { CommandRunner, newEvent } from '../../../platform/eventsourcing/command-runner.js';
import type { LiveViews } from '../../../platform/eventsourcing/live-views.js';
import { keySuccessionText } from '../../server/contracts/server-keys.js';
import { serverEvents } from '../../server/contracts/server.events.js';
import { peerEvents } from '../contracts/peer.events.js';
import { LearnSigners, NoteSigning } from '../contracts/signers.js';
import { LearnSignersHandler, NoteSigningHandler } from './learn-signers.handler.js';
import { LiveSignerKeys } from './live-signer-keys.js';

const NOW = Date.now();
const HOUR_MS = 3_600_000;

/** One server with its log and what it knows of the keys of others. */
class Knower {
  readonly store = new MemoryEventStore();
  readonly keys: LiveSignerKeys;
  private readonly runner: CommandRunner;
  private readonly learn: LearnSignersHandler;
  private readonly note: NoteSigningHandler;
  private folded = 0;

  constructor(readonly server: SigningServer) {
    this.keys = new LiveSignerKeys(server);
    this.runner = new CommandRunner(this.store, server);
    const views = { reflect: async () => this.fold() } as unknown as LiveViews;
    this.learn = new LearnSignersHandler(this.runner, views, this.keys, server);
    this.note = new NoteSigningHandler(this.runner, views);
  }

  async begin(): Promise<this> {
    const { serverId, name, url, stage, publicKey } = this.server;
    const data = { serverId, name, url, stage, publicKey };
    return this.record('server', newEvent(serverEvents, { type: 'ServerInitialised', data }, serverId));
  }

  async registers({ serverId: peerId, name, url, publicKey }: SigningServer): Promise<this> {
    const data = { peerId, name, url, publicKey, invitationId: peerId, ourPublicKey: null };
    const event = newEvent(peerEvents, { type: 'PeerRegistered', data }, this.server.serverId);
    return this.record(`peer-${peerId}`, event);
  }

  /** This server gets another key, which its former key signs. */
  async rotates(): Promise<this> {
    const { serverId, publicKey: previousPublicKey } = this.server;
    const publicKey = this.server.rotateKey();
    const proof = succession(this.server, previousPublicKey, publicKey).proof;
    const data = { publicKey, previousPublicKey, proof };
    return this.record('server', newEvent(serverEvents, { type: 'ServerKeyRotated', data }, serverId));
  }

  async learns(...introductions: readonly Introduction[]): Promise<readonly string[]> {
    const before = this.store.all.length;
    await this.learn.execute(new LearnSigners(introductions));
    return this.store.all.slice(before).map(({ type }) => type);
  }

  async notes(serverId: string, stamp: string): Promise<void> {
    await this.note.execute(new NoteSigning(serverId, stamp));
  }

  knows(server: SigningServer, publicKey = server.publicKey, at = NOW): string {
    return this.keys.statusOf(server.serverId, publicKey, at);
  }

  introduces(server: SigningServer): readonly Introduction[] {
    return this.keys.introduce(server.serverId);
  }

  private async record(stream: string, event: ReturnType<typeof newEvent>): Promise<this> {
    await this.store.append(stream, [event], 'any');
    this.fold();
    return this;
  }

  private fold(): void {
    for (const event of this.store.all.slice(this.folded) as RecordedEvent[]) this.keys.fold(event);
    this.folded = this.store.all.length;
  }
}

/** A proof that one key of a server follows another, signed by the previous key or by another server. */
function succession(server: SigningServer, previousPublicKey: string, publicKey: string, by?: SigningServer) {
  const text = keySuccessionText(server.serverId, previousPublicKey, publicKey);
  const proof = by ? by.sign(text) : server.sign(text, previousPublicKey);
  return { previousPublicKey, publicKey, proof: Buffer.from(proof).toString('base64url') };
}

/** An introduction as its server would make it, with whatever in it. */
function introduction(by: SigningServer, of: SigningServer, change: Partial<Introduction> = {}): Introduction {
  const told = {
    serverId: of.serverId,
    name: of.name,
    keys: [of.publicKey],
    successions: [],
    introducedBy: by.serverId,
  };
  const unsigned = { ...told, ...change };
  const signature = Buffer.from(by.sign(introductionText(unsigned))).toString('base64url');
  return { publicKey: by.publicKey, signature, ...unsigned };
}

async function scene() {
  const [a, b, c, mallory] = ['a', 'b', 'c', 'm'].map((id) => new SigningServer(id));
  if (!a || !b || !c || !mallory) throw new Error('no servers');
  const knowerOfB = await (await new Knower(a).begin()).registers(b);
  return { a, b, c, mallory, knower: knowerOfB };
}

describe('a server that is not a peer', () => {
  it('is known once a peer has introduced it, and is introduced onward', async () => {
    const { b, c, knower, a } = await scene();
    expect(knower.knows(c)).toBe('server unknown');
    expect(await knower.learns(introduction(b, c))).toEqual(['SignerIntroduced']);
    expect(knower.knows(c)).toBe('known');
    expect(knower.introduces(c)).toMatchObject([{ serverId: 'c', keys: [c.publicKey], introducedBy: 'a' }]);
    const next = await (await new Knower(new SigningServer('d')).begin()).registers(a);
    expect(await next.learns(...knower.introduces(c))).toEqual(['SignerIntroduced']);
    expect(next.knows(c)).toBe('known');
  });

  it('is introduced once: repeating it records nothing', async () => {
    const { b, c, knower } = await scene();
    await knower.learns(introduction(b, c));
    expect(await knower.learns(introduction(b, c), introduction(b, c))).toEqual([]);
  });

  it('is not known by the word of a stranger, or with a broken signature', async () => {
    const { b, c, mallory, knower } = await scene();
    expect(await knower.learns(introduction(mallory, c))).toEqual([]);
    const posing = { ...introduction(mallory, c), introducedBy: 'b' };
    expect(await knower.learns(posing)).toEqual([]);
    const changed = { ...introduction(b, c), keys: [mallory.publicKey] };
    expect(await knower.learns(changed)).toEqual([]);
    expect(knower.knows(c)).toBe('server unknown');
  });

  it('keeps its keys: others that a peer tells are refused, and shown once', async () => {
    const { b, c, mallory, knower } = await scene();
    await knower.learns(introduction(b, c));
    const taken = introduction(b, c, { keys: [mallory.publicKey] });
    expect(await knower.learns(taken)).toEqual(['SignerKeyRefused']);
    expect(await knower.learns(taken, introduction(b, c, { keys: [mallory.publicKey], name: 'again' }))).toEqual([]);
    expect(knower.knows(c)).toBe('known');
    expect(knower.knows(c, mallory.publicKey)).toBe('other key');
  });

  it('may get a new key that its former one has signed, whoever tells it', async () => {
    const { b, c, knower } = await scene();
    await knower.learns(introduction(b, c));
    const former = c.publicKey;
    const successions = [succession(c, former, c.rotateKey())];
    expect(await knower.learns(introduction(b, c, { keys: [former, c.publicKey], successions }))).toEqual([
      'SignerIntroduced',
    ]);
    expect(knower.knows(c)).toBe('known');
    expect(knower.knows(c, former, NOW - HOUR_MS)).toBe('known');
    expect(knower.knows(c, former, NOW + HOUR_MS)).toBe('other key');
  });

  it('gets no key by a proof that another key has made', async () => {
    const { b, c, mallory, knower } = await scene();
    await knower.learns(introduction(b, c));
    const successions = [succession(c, c.publicKey, mallory.publicKey, mallory)];
    const told = introduction(b, c, { keys: [c.publicKey, mallory.publicKey], successions });
    expect(await knower.learns(told)).toEqual(['SignerKeyRefused']);
  });

  it('tells of its former keys itself, which a peer passes on', async () => {
    const { b, c, knower } = await scene();
    const itself = await (await new Knower(c).begin()).rotates();
    const [former] = itself.introduces(c)[0]?.keys ?? [];
    await knower.learns(introduction(b, c));
    expect(knower.knows(c, former)).toBe('other key');
    await knower.learns(...itself.introduces(c));
    expect(knower.knows(c, former, NOW - HOUR_MS)).toBe('known');
  });
});

describe('a peer', () => {
  it('whose new key has not been announced yet is known by its own introduction', async () => {
    const { a, b } = await scene();
    const other = await new Knower(b).begin();
    const knower = await (await new Knower(a).begin()).registers(b);
    await other.rotates();
    expect(knower.knows(b)).toBe('other key');
    await knower.learns(...other.introduces(b));
    expect(knower.knows(b)).toBe('known');
  });

  it('with one key needs no introduction of itself', async () => {
    const { b } = await scene();
    expect((await new Knower(b).begin()).introduces(b)).toEqual([]);
  });

  it('cannot introduce this server to itself', async () => {
    const { a, b, mallory, knower } = await scene();
    expect(await knower.learns(introduction(b, a, { keys: [mallory.publicKey] }))).toEqual([]);
    expect(knower.knows(a, mallory.publicKey)).toBe('other key');
  });
});

describe('since when a server signs', () => {
  const stamp = (at: number): string => `${at.toString(16).padStart(12, '0')}-0000-b`;

  it('is noted once, and corrected by more than a day', async () => {
    const { knower } = await scene();
    await knower.notes('b', stamp(NOW));
    await knower.notes('b', stamp(NOW + HOUR_MS));
    await knower.notes('b', stamp(NOW - HOUR_MS));
    expect(knower.keys.signsSince('b')).toBe(stamp(NOW));
    await knower.notes('b', stamp(NOW - 48 * HOUR_MS));
    expect(knower.keys.signsSince('b')).toBe(stamp(NOW - 48 * HOUR_MS));
    expect(knower.keys.signsSince('c')).toBeNull();
  });
});
