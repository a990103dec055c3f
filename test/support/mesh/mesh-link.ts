import { OPEN_POLICY } from '../../../src/kernel/transfer-policy.js';
import { withContext } from '../../../src/platform/runtime/call-context.js';
import type { FeedEntry } from '../../../src/modules/replication/serve/feed-source.js';
import { OrderedWork } from '../../../src/modules/replication/follow/ordered-work.js';
import type { PeerItem } from '../../../src/modules/replication/follow/feed-item.js';
import { PeerUnreachable } from '../../../src/ports/peer-transport.port.js';
import type { Gate } from './gate.js';
import type { MeshProcess } from './mesh-process.js';
import type { MeshServer } from './mesh-server.js';

interface Sent {
  readonly id: string;
  readonly item: PeerItem;
}

/** A follower of a peer's feed: its place, what is on its way, and all that may happen to the connection. */
export class MeshLink {
  isCut = false;
  /** Items that the follower was handed. */
  delivered = 0;
  readonly sent: Sent[] = [];
  private connection: {
    readonly ends: readonly [MeshProcess, MeshProcess];
    readonly stage: string;
    at: string | null;
  } | null = null;

  constructor(
    readonly follower: MeshServer,
    readonly peer: MeshServer,
    private readonly gate: Gate,
  ) {}

  cut(): void {
    this.isCut = true;
    this.connection = null;
  }

  /** The last saves of the place get lost; null forgets it altogether. */
  rewind(saves: number | null): void {
    const places = this.follower.feedCursors.get(this.peer.id) ?? [];
    places.splice(saves === null ? 0 : Math.max(0, places.length - saves));
    this.connection = null;
  }

  /** An old message comes once more, out of order. */
  repeat(index: number): Promise<void> {
    const { process } = this.follower;
    const old = this.sent[index % Math.max(1, this.sent.length)];
    return process && old ? this.take(process, old.item).then(() => undefined) : Promise.resolve();
  }

  /** Anything that the peer could send comes, out of order. What makes no sense is refused. */
  async tell(data: unknown): Promise<void> {
    const { process } = this.follower;
    const item = process?.items.readItem(this.contact(), data);
    if (!process || !item) return;
    await Promise.race([this.take(process, item), process.life.ended]).catch((error: unknown) => {
      if (!(error instanceof PeerUnreachable)) throw error;
    });
  }

  /** Takes up to `most` items, until there are no more or the connection ends. */
  read(most: number): Promise<void> {
    return this.follower.alone(`follow ${this.peer.id}`, async (process) => {
      const source = this.peer.process;
      if (!source || this.isCut) return;
      await Promise.race([this.follow(process, source, most), source.life.ended]);
    });
  }

  private place(process: MeshProcess, source: MeshProcess): string | null {
    const { stage } = process.identity;
    const open = this.connection;
    if (open && open.ends[0] === process && open.ends[1] === source && open.stage === stage) return open.at;
    const saved = this.follower.feedCursors.get(this.peer.id)?.at(-1);
    return saved?.stage === stage ? saved.cursor : null;
  }

  private async follow(process: MeshProcess, source: MeshProcess, most: number): Promise<void> {
    const { stage } = process.identity;
    const connection = { ends: [process, source], stage, at: this.place(process, source) } as const;
    const open: { at: string | null } & Omit<typeof connection, 'at'> = connection;
    this.connection = open;
    let fails = false;
    const putOff = new Set<string>();
    const take = async ({ id, item }: Sent): Promise<void> => {
      if ((await this.take(process, item)) === 'later') putOff.add(id);
    };
    const work = new OrderedWork(take, {
      notePlace: (id) => {
        if (putOff.has(id)) fails = true;
        if (!fails) this.save(stage, id);
      },
      failed: (error) => {
        if (!(error instanceof PeerUnreachable)) throw error;
        fails = true;
      },
    });
    for await (const entry of source.feed.readEntries(open.at, new AbortController().signal)) {
      await this.gate.pass(process.life);
      if (this.isCut || fails || (most -= 1) < 0) break;
      open.at = entry.id;
      const sent = this.receive(process, entry);
      await work.addItem(sent.id, sent.item.facts.packageId, sent);
    }
    await work.settled();
    if (fails && this.connection === open) this.connection = null;
  }

  private receive(process: MeshProcess, { id, item }: FeedEntry): Sent {
    const read = process.items.readItem(this.contact(), JSON.parse(JSON.stringify(item)));
    if (!read) throw new Error('The feed sent a message that makes no sense');
    const sent = { id, item: read };
    this.delivered += 1;
    this.sent.push(sent);
    return sent;
  }

  private save(stage: string, cursor: string): void {
    const places = this.follower.feedCursors.get(this.peer.id) ?? [];
    this.follower.feedCursors.set(this.peer.id, [...places.slice(-9), { stage, cursor }]);
  }

  private take(process: MeshProcess, item: PeerItem): Promise<'done' | 'later'> {
    const { id } = this.peer;
    return withContext({ actor: { kind: 'peer', id, name: id }, causationId: null }, () =>
      process.items.handleItem(this.contact(), item),
    );
  }

  private contact() {
    const { id } = this.peer;
    return { peerId: id, name: id, url: '', publicKey: '', suspended: false, policy: OPEN_POLICY };
  }
}
