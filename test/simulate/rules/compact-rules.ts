import type { Mesh } from '../mesh/mesh.js';
import type { PackageLife } from '../mesh/scenario.js';
import { firstIn, isHeld, pack, publicationIn, removalIn, stageIn, type Outlet, type Rules } from './rules.js';

const NONE = 0;
const PENDING = 1;
const PUBLISHED = 2;
const WITHDRAWN = 3;

/**
 * The rules of `learn`, `foldFacts`, `reviewReplica`, the replica's decider and `ItemHandler` on numbers in typed
 * arrays. A test holds them against the deciders themselves.
 */
export class CompactRules implements Rules {
  private readonly publication: Uint8Array;
  private readonly stage: Uint8Array;
  private readonly removal: Uint8Array;
  private readonly first: Uint8Array;
  private readonly uploaded: Uint8Array;
  private readonly replica: Uint8Array;
  /** Is the whole file here? That of a copy withdrawn because of its stage stays. */
  private readonly file: Uint8Array;
  private readonly holder: Uint8Array;
  /** By edge, what was told again to the peer that lacked it, packed. */
  private readonly toldAgain: Float64Array;
  /** By number of the change: the stage it sets, and its time in whole seconds. */
  private readonly stageOf = new Int8Array(32);
  private readonly secondOf = new Float64Array(32);
  private life: PackageLife = { size: 0, changes: [] };

  constructor(
    private readonly mesh: Mesh,
    private readonly out: Outlet,
  ) {
    const bytes = () => new Uint8Array(mesh.servers);
    [this.publication, this.stage, this.removal, this.first, this.uploaded, this.replica, this.file] = [
      bytes(),
      bytes(),
      bytes(),
      bytes(),
      bytes(),
      bytes(),
      bytes(),
    ];
    this.holder = new Uint8Array(mesh.to.length);
    this.toldAgain = new Float64Array(mesh.to.length);
  }

  /** Forgets the package before, and begins with one that nobody knows. */
  begin(life: PackageLife): void {
    for (const array of [
      this.publication,
      this.stage,
      this.removal,
      this.first,
      this.uploaded,
      this.replica,
      this.file,
      this.holder,
      this.toldAgain,
    ])
      array.fill(0);
    this.life = life;
    life.changes.forEach((change, i) => {
      this.stageOf[i + 1] = change.kind === 'remove' ? -1 : change.stage;
      this.secondOf[i + 1] = Math.floor(change.at);
    });
  }

  perform(server: number, number: number): void {
    const change = this.life.changes[number - 1];
    if (!change) return;
    if (change.kind === 'upload') {
      this.publication[server] = number;
      this.stage[server] = number;
      this.uploaded[server] = 1;
      this.file[server] = 1;
      if (this.first[server] === 0) this.first[server] = this.firstOfSecond(number);
    } else {
      if (this.publication[server] === 0 || this.isRemoved(server)) return;
      if (change.kind === 'remove') {
        this.removal[server] = number;
        this.deleteRemoved(server);
      } else {
        if (this.stageOf[this.stage[server]!] === change.stage) return;
        this.stage[server] = number;
      }
    }
    this.out.recorded(server, change.kind !== 'upload');
    this.review(server, -1, false);
  }

  receive(server: number, edge: number, item: number): void {
    const gone = removalIn(item) > publicationIn(item);
    const useful = (isHeld(item) || gone) && this.takes(server, stageIn(item));
    if (this.publication[server] === 0 && !useful) return;
    this.learn(server, item);
    if (isHeld(item) && this.knowsMore(server, item)) this.tellAgain(server, edge);
    this.review(server, edge, isHeld(item));
  }

  fetched(server: number): void {
    this.file[server] = 1;
    this.publish(server);
  }

  itemOf(server: number): number {
    const publication = this.publication[server]!;
    if (publication === 0) return 0;
    const held = this.uploaded[server] === 1 || this.replica[server] === PUBLISHED;
    return pack(publication, this.stage[server]!, this.removal[server]!, this.first[server]!, held);
  }

  isPending(server: number): boolean {
    return this.replica[server] === PENDING;
  }

  isHolder(edge: number): boolean {
    return this.holder[edge] === 1;
  }

  private learn(server: number, item: number): void {
    const isFirst = this.publication[server] === 0;
    const isEarlier = this.secondOf[firstIn(item)]! < this.secondOf[this.first[server]!]!;
    const publishes = isFirst || isEarlier || publicationIn(item) > this.publication[server]!;
    // A publication brings its stage along.
    const promotes = !publishes && stageIn(item) > this.stage[server]!;
    const removes = removalIn(item) > this.removal[server]!;
    if (isFirst || isEarlier) this.first[server] = firstIn(item);
    this.publication[server] = Math.max(this.publication[server]!, publicationIn(item));
    this.stage[server] = Math.max(this.stage[server]!, stageIn(item));
    if (removes) this.removal[server] = removalIn(item);
    if (removes && this.isRemoved(server)) this.deleteRemoved(server);
    if (publishes || promotes || removes) this.out.recorded(server, promotes || removes || !isFirst);
  }

  /** The same is told to a peer only once. */
  private tellAgain(server: number, edge: number): void {
    const known = pack(
      this.publication[server]!,
      this.stage[server]!,
      this.removal[server]!,
      this.first[server]!,
      false,
    );
    if (this.toldAgain[edge] === known) return;
    this.toldAgain[edge] = known;
    this.out.recorded(server, true);
  }

  /** `edge` is the feed that a report came on, -1 without one. */
  private review(server: number, edge: number, reported: boolean): void {
    if (edge >= 0) this.holder[edge] = reported ? 1 : 0;
    if (this.isRemoved(server) || !this.takes(server, this.stage[server]!)) return this.giveUp(server);
    const replica = this.replica[server];
    if (this.uploaded[server] === 1) {
      // The upload ends the copy that is on its way.
      if (replica !== PENDING) return;
      this.out.unwanted(server);
      this.publish(server);
    } else if (replica === WITHDRAWN && this.file[server] === 1) this.publish(server);
    else if ((replica === NONE || replica === WITHDRAWN) && this.hasHolder(server)) {
      this.replica[server] = PENDING;
      this.out.wanted(server);
    }
  }

  private publish(server: number): void {
    this.replica[server] = PUBLISHED;
    this.out.recorded(server, false);
  }

  private giveUp(server: number): void {
    const replica = this.replica[server];
    if (replica === NONE || replica === WITHDRAWN || (this.uploaded[server] === 1 && replica !== PENDING)) return;
    this.replica[server] = WITHDRAWN;
    this.out.unwanted(server);
    this.out.recorded(server, true);
  }

  /** A removal ends an upload, and the file of any copy is deleted. */
  private deleteRemoved(server: number): void {
    this.uploaded[server] = 0;
    this.file[server] = 0;
  }

  private hasHolder(server: number): boolean {
    for (let e = this.mesh.first[server]!; e < this.mesh.first[server + 1]!; e++) {
      if (this.holder[this.mesh.back[e]!] === 1) return true;
    }
    return false;
  }

  /** `knowsMore`: does the sender of the item lack something that this server knows? */
  private knowsMore(server: number, item: number): boolean {
    return (
      this.publication[server]! > publicationIn(item) ||
      this.stage[server]! > stageIn(item) ||
      this.removal[server]! > removalIn(item) ||
      this.secondOf[this.first[server]!]! < this.secondOf[firstIn(item)]!
    );
  }

  private isRemoved(server: number): boolean {
    return this.removal[server]! > this.publication[server]!;
  }

  /** First publications are told in whole seconds: the first change in the second of this one stands for it. */
  private firstOfSecond(number: number): number {
    const second = this.secondOf[number]!;
    while (number > 1 && this.secondOf[number - 1] === second) number -= 1;
    return number;
  }

  /** `takes` of the kernel on indices of stages. */
  private takes(server: number, stageChange: number): boolean {
    return this.stageOf[stageChange]! >= this.mesh.stage[server]!;
  }
}
