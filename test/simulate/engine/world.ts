import type { Mesh } from '../mesh/mesh.js';
import type { PackageLife, Schedule } from '../mesh/scenario.js';
import { isHeld, removalIn, type Outlet, type Rules } from '../rules/rules.js';
import { Downloads } from './downloads.js';
import { EventHeap } from './event-heap.js';
import { itemBytes, requestsFor } from './item-bytes.js';
import { noTraffic } from './traffic.js';

const CHANGE = 0;
const ARRIVAL = 1;
const END_OF_FETCH = 2;
const RETURN = 3;

/** Behind the item's bits: news that peers must hear even when nothing is held. */
const NEWS = 1 << 21;
const MISSED = 1;
const MISSED_NEWS = 2;

/**
 * The network between servers: brings items and bytes from one to the other, in time, and loses what is under way when
 * a server is cut off. A feed goes on where its follower had come to: of what it missed about a package it hears one
 * item, the state of then.
 */
export class World implements Outlet {
  readonly traffic = noTraffic();
  /** When something changed last on any server. */
  changedAt = 0;
  private readonly events = new EventHeap();
  private readonly downloads: Downloads;
  /** Per feed: what its follower has missed. */
  private readonly missed: Uint8Array;
  /** Per server: bytes that are still missing, the transfer under way (0: none) and when it began and how fast. */
  private readonly missing: Float64Array;
  private readonly transfer: Int32Array;
  private readonly begunAt: Float64Array;
  private readonly rate: Float64Array;
  /** Is all that is missing here at the end of the transfer? */
  private readonly whole: Uint8Array;
  private readonly away: readonly number[];
  private rules: Rules | null = null;
  private lastTransfer = 0;
  private now = 0;
  private size = 0;
  /** Counts what went on record. */
  private records = 0;
  private bytesOfItem: readonly [number, number] = [0, 0];

  constructor(
    private readonly mesh: Mesh,
    schedule: Schedule,
  ) {
    this.downloads = new Downloads(mesh, schedule);
    this.missed = new Uint8Array(mesh.to.length);
    this.missing = new Float64Array(mesh.servers);
    this.transfer = new Int32Array(mesh.servers);
    this.begunAt = new Float64Array(mesh.servers);
    this.rate = new Float64Array(mesh.servers);
    this.whole = new Uint8Array(mesh.servers);
    this.away = Array.from({ length: mesh.servers }, (_, s) => s).filter((s) => mesh.awayUntil[s]! < Infinity);
  }

  /** Lives a package's life until nothing happens any more. `onMilestone` hears of each change (its number) and return (0) before. */
  live(life: PackageLife, rules: Rules, onMilestone: (at: number, number: number) => void): void {
    this.begin(life, rules);
    while (this.events.take()) {
      this.now = this.events.at;
      const { kind, subject, payload } = this.events;
      if (kind === ARRIVAL) this.arrive(rules, subject, payload);
      else if (kind === END_OF_FETCH) this.endFetch(rules, subject, payload);
      else if (kind === CHANGE) {
        onMilestone(this.now, payload);
        rules.perform(subject, payload);
        this.fetch(rules, subject);
      } else {
        onMilestone(this.now, 0);
        this.comeBack(rules, subject);
      }
    }
  }

  recorded(server: number, news: boolean): void {
    this.changedAt = this.now;
    this.records += 1;
    const item = this.rules?.itemOf(server) ?? 0;
    if (!isTold(item, news)) return;
    for (let edge = this.mesh.first[server]!; edge < this.mesh.first[server + 1]!; edge++) this.send(edge, item, news);
  }

  wanted(server: number): void {
    this.records += 1;
    this.missing[server] = this.size;
    this.transfer[server] = 0;
  }

  unwanted(server: number): void {
    if (this.transfer[server] === 0) return;
    this.traffic.wastedBytes += this.arrived(server);
    this.transfer[server] = 0;
  }

  private begin(life: PackageLife, rules: Rules): void {
    this.rules = rules;
    this.size = life.size;
    this.bytesOfItem = [itemBytes(life.size, false), itemBytes(life.size, true)];
    this.events.clear();
    this.missed.fill(0);
    this.transfer.fill(0);
    this.changedAt = 0;
    life.changes.forEach(({ at, server }, i) => this.events.put(at, CHANGE, server, i + 1));
    for (const server of this.away) this.events.put(this.mesh.awayUntil[server]!, RETURN, server, 0);
  }

  private send(edge: number, item: number, news: boolean): void {
    if (this.isUp(edge)) this.events.put(this.now + this.mesh.latency[edge]!, ARRIVAL, edge, item | (news ? NEWS : 0));
    else this.miss(edge, news);
  }

  private arrive(rules: Rules, edge: number, payload: number): void {
    if (!this.stayedUp(edge)) return this.miss(edge, (payload & NEWS) !== 0);
    const item = payload & (NEWS - 1);
    this.traffic.items += 1;
    this.traffic.itemBytes += this.bytesOfItem[isHeld(item) ? 1 : 0];
    const server = this.mesh.to[edge]!;
    const { records } = this;
    rules.receive(server, edge, item);
    if (this.records === records) this.traffic.repeats += 1;
    this.fetch(rules, server);
  }

  /** Begins a transfer when one is wanted, none is under way and a peer that can be reached has the package. */
  private fetch(rules: Rules, server: number): void {
    if (this.transfer[server] !== 0 || !rules.isPending(server) || this.isAway(server)) return;
    const edge = this.pickSource(rules, server);
    if (edge < 0) return;
    const peer = this.mesh.from[edge]!;
    const { end, whole } = this.downloads.begin(
      this.now,
      server,
      peer,
      this.mesh.latency[edge]!,
      this.missing[server]!,
    );
    this.lastTransfer += 1;
    this.transfer[server] = this.lastTransfer;
    this.rate[server] = this.downloads.speed(server, peer);
    this.whole[server] = whole ? 1 : 0;
    // Where it would have begun at full speed: exact but for what it shares its line with.
    this.begunAt[server] = whole
      ? end - this.missing[server]! / this.rate[server]!
      : this.now + 2 * this.mesh.latency[edge]!;
    this.events.put(end, END_OF_FETCH, server, this.lastTransfer);
  }

  private pickSource(rules: Rules, server: number): number {
    let best = -1;
    let lowest = Infinity;
    for (let give = this.mesh.first[server]!; give < this.mesh.first[server + 1]!; give++) {
      const edge = this.mesh.back[give]!;
      if (!rules.isHolder(edge) || !this.isUp(edge)) continue;
      const load = this.downloads.load(this.now, this.mesh.from[edge]!);
      if (load >= lowest) continue;
      best = edge;
      lowest = load;
    }
    return best;
  }

  private endFetch(rules: Rules, server: number, transfer: number): void {
    if (this.transfer[server] !== transfer) return;
    const bytes = this.whole[server] === 1 ? this.missing[server]! : this.arrived(server);
    this.transfer[server] = 0;
    this.missing[server] = this.missing[server]! - bytes;
    this.traffic.packageBytes += bytes;
    if (this.missing[server]! > 0) return this.fetch(rules, server);
    this.traffic.requests += requestsFor(this.size);
    this.traffic.copies += 1;
    rules.fetched(server);
  }

  /** Bytes of the transfer under way that are here now. */
  private arrived(server: number): number {
    const bytes = (this.now - this.begunAt[server]!) * this.rate[server]!;
    return Math.min(this.missing[server]!, Math.max(0, Math.round(bytes)));
  }

  /** The feeds from and to the server are up again, with those that are not cut off themselves. */
  private comeBack(rules: Rules, server: number): void {
    for (let edge = this.mesh.first[server]!; edge < this.mesh.first[server + 1]!; edge++) {
      this.catchUp(rules, edge);
      this.catchUp(rules, this.mesh.back[edge]!);
      this.fetch(rules, this.mesh.to[edge]!);
    }
    this.fetch(rules, server);
  }

  private catchUp(rules: Rules, edge: number): void {
    if (this.missed[edge] === 0 || !this.isUp(edge)) return;
    const news = (this.missed[edge]! & MISSED_NEWS) !== 0;
    this.missed[edge] = 0;
    const item = rules.itemOf(this.mesh.from[edge]!);
    if (isTold(item, news)) this.send(edge, item, news);
  }

  private miss(edge: number, news: boolean): void {
    this.missed[edge] = this.missed[edge]! | MISSED | (news ? MISSED_NEWS : 0);
  }

  private isAway(server: number): boolean {
    return this.now >= this.mesh.awayFrom[server]! && this.now < this.mesh.awayUntil[server]!;
  }

  private isUp(edge: number): boolean {
    return !this.isAway(this.mesh.from[edge]!) && !this.isAway(this.mesh.to[edge]!);
  }

  /** Was neither end cut off since what arrives now was sent? */
  private stayedUp(edge: number): boolean {
    const sentAt = this.now - this.mesh.latency[edge]!;
    return this.isUp(edge) && !this.wasCut(this.mesh.from[edge]!, sentAt) && !this.wasCut(this.mesh.to[edge]!, sentAt);
  }

  private wasCut(server: number, since: number): boolean {
    const cut = this.mesh.awayFrom[server]!;
    return cut > since && cut <= this.now;
  }
}

/** The feed is silent about what is not held and is no news, as `FeedSource` is. */
const isTold = (item: number, news: boolean): boolean => item !== 0 && (isHeld(item) || news || removalIn(item) !== 0);
