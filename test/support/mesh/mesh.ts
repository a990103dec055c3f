import type { Stage } from '../../../src/kernel/stage.js';
import { Refusal } from '../../../src/kernel/errors.js';
import { withContext } from '../../../src/platform/runtime/call-context.js';
import { ALL_RIGHTS, type PeerRights } from '../../../src/modules/peers/contracts/peer-rights.js';
import { chooser, Gate } from './gate.js';
import { MeshLink } from './mesh-link.js';
import type { MeshProcess } from './mesh-process.js';
import { MeshServer, type Neighbours } from './mesh-server.js';

/** How a mesh is laid out. */
export interface Plan {
  readonly seed: number;
  readonly servers: readonly { readonly stage: Stage; readonly clockOffMs: number }[];
  /** Pairs of indexes. */
  readonly edges: readonly (readonly [number, number])[];
  /** The rights that all neighbours give to a server, by index. All rights for the others. */
  readonly rights?: ReadonlyMap<number, PeerRights>;
}

const START = Date.UTC(2026, 0, 1);
const MOST_ROUNDS = 200;

/** Servers in memory that follow each other; time passes only when it is told to. */
export class Mesh implements Neighbours {
  readonly servers: MeshServer[];
  readonly links: MeshLink[];
  readonly gate: Gate;
  now = START;
  private readonly failures: unknown[] = [];
  private underWay = 0;

  private constructor(readonly plan: Plan) {
    this.gate = new Gate(chooser(plan.seed));
    this.servers = plan.servers.map(
      ({ clockOffMs }, i) =>
        new MeshServer(
          `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
          this.gate,
          () => this.now + clockOffMs,
          this,
        ),
    );
    const links = plan.edges.flatMap(
      ([a, b]) =>
        [
          [a, b],
          [b, a],
        ] as const,
    );
    for (const [a, b] of links) this.server(a).rights.rights.set(this.server(b).id, plan.rights?.get(b) ?? ALL_RIGHTS);
    this.links = links.map(([follower, peer]) => new MeshLink(this.server(follower), this.server(peer), this.gate));
  }

  static async start(plan: Plan): Promise<Mesh> {
    const mesh = new Mesh(plan);
    for (const [i, { stage }] of plan.servers.entries()) {
      await mesh.server(i).boot();
      mesh.begin(i, (process) => process.changeStage(stage));
    }
    await mesh.idle();
    return mesh;
  }

  server(index: number): MeshServer {
    const found = this.servers[index % this.servers.length];
    if (!found) throw new Error('A mesh has servers');
    return found;
  }

  link(index: number): MeshLink {
    const found = this.links[index % this.links.length];
    if (!found) throw new Error('A mesh has links');
    return found;
  }

  reach(serverId: string, peerId: string): MeshProcess | null {
    const link = this.links.find(({ follower, peer }) => follower.id === serverId && peer.id === peerId);
    return link && !link.isCut ? link.peer.process : null;
  }

  /** Begins something on a server; it goes on as the gate opens. A refusal is an answer. */
  begin(index: number, work: (process: MeshProcess) => Promise<unknown>): void {
    const { process } = this.server(index);
    if (process) this.track(Promise.race([withContext({}, () => work(process)), process.life.ended]));
  }

  /** Begins what works by itself: feeds, reactions and jobs. */
  stir(links: readonly MeshLink[] = this.links, servers: readonly MeshServer[] = this.servers, most = Infinity): void {
    for (const link of links) this.track(link.read(most));
    for (const server of servers) {
      this.track(server.react());
      this.track(server.deleteWithdrawn());
      for (const packageId of server.unfinished()) this.track(server.fetch(packageId));
    }
  }

  async idle(): Promise<void> {
    while (this.underWay > 0) {
      const passed = await this.gate.open(1_000);
      if (passed === 0 && this.underWay > 0) throw new Error('Something waits for what never comes');
    }
    const [failure] = this.failures;
    if (failure !== undefined) throw failure;
  }

  /** All servers run and reach each other, and everything that has something to do has done it. */
  async rest(): Promise<void> {
    for (const link of this.links) link.isCut = false;
    for (const server of this.servers) if (!server.process) await server.boot();
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const before = this.extent();
      this.stir();
      await this.idle();
      if (this.extent() === before) return;
    }
    throw new Error('The mesh does not come to rest');
  }

  /** Grows with everything that happens. */
  private extent(): string {
    const places = this.links.map(({ follower, peer }) => follower.feedCursors.get(peer.id)?.at(-1)?.cursor);
    return JSON.stringify([this.servers.map(({ file }) => file.all.length), places]);
  }

  track(work: Promise<unknown>): void {
    this.underWay += 1;
    work
      .catch((error: unknown) => void (error instanceof Refusal || this.failures.push(error)))
      .finally(() => (this.underWay -= 1));
  }
}
