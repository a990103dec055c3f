import type { DomainEvent, Recorded, RecordedEvent } from '../../../src/kernel/events.js';
import { Refusal } from '../../../src/kernel/errors.js';
import { STAGES, takesStage, type Stage } from '../../../src/kernel/stage.js';
import { knownPackage, type KnownPackage } from '../../../src/modules/packages/contracts/known-package.js';
import { isRemoved, type PackageFacts } from '../../../src/modules/packages/contracts/package-facts.js';
import {
  packageAggregate,
  type PackageCommand,
  type PackageState,
} from '../../../src/modules/packages/lifecycle/package.decider.js';
import { ourReplica, type OurReplica } from '../../../src/modules/replication/replica/our-replica.js';
import { replica } from '../../../src/modules/replication/replica/replica.decider.js';
import type { ReplicaCommand } from '../../../src/modules/replication/replica/replica.commands.js';
import type { Mesh } from '../mesh/mesh.js';
import type { PackageLife } from '../mesh/scenario.js';
import { Registers } from './registers.js';
import { isHeld, type Outlet, type Rules } from './rules.js';

const NEWS = ['PackageStageChanged', 'PackageRemoved', 'ReplicaWithdrawn'];
const CHANGES = [...NEWS, 'PackagePublished', 'ReplicaPublished'];
const PAGE = {
  first: 0,
  count: 1,
  sha1: Buffer.alloc(20).toString('base64'),
  sha256: Buffer.alloc(32).toString('base64'),
};

interface Server {
  readonly stage: Stage;
  pkg: PackageState;
  known: KnownPackage;
  ours: OurReplica;
}

/**
 * The rules as the program has them: its own deciders and folds, and the steps of `ItemHandler`, `ReviewReplica` and
 * `FeedSource` between them. Slow; what the compact rules are held against.
 */
export class DeciderRules implements Rules {
  private readonly servers: Server[];
  private readonly registers: Registers;

  constructor(
    private readonly mesh: Mesh,
    private readonly life: PackageLife,
    private readonly out: Outlet,
  ) {
    this.registers = new Registers(life);
    this.servers = Array.from(mesh.stage, (stage) => ({
      stage: STAGES[stage] ?? 'Prod',
      pkg: packageAggregate.initial,
      known: knownPackage.initial,
      ours: ourReplica.initial,
    }));
  }

  perform(server: number, number: number): void {
    const { stamp } = this.registers.of(number);
    const change = this.life.changes[number - 1];
    if (!change) return;
    const command: PackageCommand =
      change.kind === 'upload'
        ? { type: 'publish', publication: this.registers.publication(number), pages: [PAGE] }
        : change.kind === 'remove'
          ? { type: 'remove', stamp }
          : { type: 'setStage', stage: STAGES[change.stage] ?? 'Prod', stamp };
    if (this.onPackage(server, command)) this.review(server, null);
  }

  /** `ItemHandler.take`. */
  receive(server: number, edge: number, item: number): void {
    const facts = this.registers.factsOf(item);
    const here = this.at(server);
    const useful = isHeld(item) && !isRemoved(facts) && takesStage(here.stage, facts.stage);
    if (!here.known.facts && !useful) return;
    const peerId = String(this.mesh.from[edge]);
    this.onPackage(server, { type: 'learn', facts, pages: here.known.facts ? [] : [PAGE], peerId });
    this.review(server, { peerId, verifiedAt: isHeld(item) ? 'since then' : null });
  }

  fetched(server: number): void {
    const { chunkCount } = this.registers.content;
    const from = { peerId: 'peer', peerName: 'peer' };
    const { round } = this.at(server).ours.state;
    this.onReplica(server, {
      kind: 'recordChunks',
      round,
      from,
      verified: [{ first: 0, count: chunkCount }],
      rejected: [],
    });
    this.onReplica(server, { kind: 'publish' });
  }

  itemOf(server: number): number {
    const { known, ours } = this.at(server);
    return known.facts ? this.registers.itemOf(known.facts, (known.uploadedAt ?? ours.verifiedAt) !== null) : 0;
  }

  isPending(server: number): boolean {
    return this.at(server).ours.state.status === 'pending';
  }

  isHolder(edge: number): boolean {
    return this.at(this.mesh.to[edge] ?? -1).ours.state.holders.has(String(this.mesh.from[edge]));
  }

  /** `ReviewReplica`. */
  private review(server: number, report: { readonly peerId: string; readonly verifiedAt: string | null } | null): void {
    const { known, stage } = this.at(server);
    if (!known.facts) return;
    const { packageId } = known.facts;
    if (report) {
      const holder = { peerId: report.peerId, peerName: report.peerId };
      const copy = report.verifiedAt === null ? null : { verifiedAt: report.verifiedAt, lineage: [] };
      this.onReplica(server, { kind: 'report', packageId, holder, copy });
    }
    const { state } = this.at(server).ours;
    if (isRemoved(known.facts) || !takesStage(stage, known.facts.stage))
      return this.giveUp(server, known.facts, known.uploadedAt !== null);
    const [fromPeerId] = state.holders.keys();
    if (known.uploadedAt !== null || fromPeerId === undefined) return;
    this.onReplica(server, { kind: 'request', content: this.registers.content, fromPeerId });
  }

  private giveUp(server: number, facts: PackageFacts, uploaded: boolean): void {
    if (uploaded || this.at(server).ours.state.content === null) return;
    this.onReplica(server, { kind: 'withdraw', reason: isRemoved(facts) ? 'removed' : 'stage' });
  }

  /** False when the package's decider refuses. */
  private onPackage(server: number, command: PackageCommand): boolean {
    const here = this.at(server);
    let events;
    try {
      events = packageAggregate.decide(command, here.pkg);
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
    const wasKnown = here.known.facts !== null;
    for (const event of events) {
      here.pkg = packageAggregate.evolve(here.pkg, event);
      here.known = knownPackage.evolve(here.known, recorded(event));
    }
    // A later publication is news also where nothing is held.
    this.tell(server, events, wasKnown && events.some(({ type }) => type === 'PackagePublished'));
    return true;
  }

  private onReplica(server: number, command: ReplicaCommand): void {
    const here = this.at(server);
    const events = replica.decide(command, here.ours.state);
    for (const event of events) {
      here.ours = ourReplica.evolve(here.ours, recorded(event));
      if (event.type === 'ReplicaRequested') this.out.wanted(server);
      if (event.type === 'ReplicaWithdrawn') this.out.unwanted(server);
    }
    this.tell(server, events);
  }

  /** One append, of which the feed makes one item. */
  private tell(server: number, events: readonly DomainEvent[], isNews = false): void {
    if (!events.some(({ type }) => CHANGES.includes(type))) return;
    this.out.recorded(server, isNews || events.some(({ type }) => NEWS.includes(type)));
  }

  private at(server: number): Server {
    const found = this.servers[server];
    if (!found) throw new Error(`There is no server ${server}`);
    return found;
  }
}

/** The folds look at the time of the record and at who made it, which changes nothing here. */
const recorded = <E extends DomainEvent>(event: E): Recorded<E> => ({
  ...event,
  record: {
    recordedAt: new Date(0),
    metadata: { serverId: '', actor: { kind: 'system', id: '', name: '' } },
  } as RecordedEvent,
});
