import { Refusal } from '../../../src/kernel/errors.js';
import type { DomainEvent, Recorded, RecordedEvent } from '../../../src/kernel/events.js';
import { STAGES, takesStage, type Stage } from '../../../src/kernel/stage.js';
import { knownPackage, type KnownPackage } from '../../../src/modules/packages/contracts/known-package.js';
import { isRemoved, knowsMore } from '../../../src/modules/packages/contracts/package-facts.js';
import {
  packageAggregate,
  type PackageCommand,
  type PackageState,
} from '../../../src/modules/packages/lifecycle/package.decider.js';
import { ourReplica, type OurReplica } from '../../../src/modules/replication/replica/our-replica.js';
import { replica } from '../../../src/modules/replication/replica/replica.decider.js';
import type { ReplicaCommand } from '../../../src/modules/replication/replica/replica.commands.js';
import {
  fileQuestion,
  type FoundFile,
  type PeerReport,
  type ReviewFacts,
  reviewReplica,
} from '../../../src/modules/replication/replica/review-replica.decider.js';
import type { Mesh } from '../mesh/mesh.js';
import type { PackageLife } from '../mesh/scenario.js';
import { Registers } from './registers.js';
import { isHeld, type Outlet, type Rules } from './rules.js';

const NEWS = ['PackageStageChanged', 'PackageRemoved', 'ReplicaWithdrawn', 'PeerOutdated'];
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
  /** Is the whole file of the package here? That of a copy withdrawn because of its stage stays. */
  hasFile: boolean;
}

/**
 * The rules as the program has them: its own deciders, with the review of our copy among them, and its own folds, and
 * between them the steps of `ItemHandler` and `FeedSource`. Slow; what the compact rules are held against.
 */
export class DeciderRules implements Rules {
  private readonly servers: Server[];
  private readonly registers: Registers;
  /** Counts the events of all servers. The number of an event is its cursor. */
  private events = 0;

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
      hasFile: false,
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
    if (change.kind === 'upload') this.at(server).hasFile = true;
    if (this.onPackage(server, command)) this.review(server, null);
  }

  /** `ItemHandler.learnItem`. */
  receive(server: number, edge: number, item: number): void {
    const facts = this.registers.factsOf(item);
    const here = this.at(server);
    const copy = isHeld(item) ? { verifiedAt: 'since then', lineage: [] } : null;
    const useful = (copy !== null || isRemoved(facts)) && takesStage(here.stage, facts.stage);
    if (!here.known.facts && !useful) return;
    const peerId = String(this.mesh.from[edge]);
    this.onPackage(server, { type: 'learn', facts, pages: here.known.facts ? [] : [PAGE], peerId });
    const isOutdated = copy !== null && here.known.facts !== null && knowsMore(here.known.facts, facts);
    this.review(server, { peerId, peerName: peerId, copy, isOutdated });
  }

  fetched(server: number): void {
    const { chunkCount } = this.registers.content;
    const from = { peerId: 'peer', peerName: 'peer' };
    const here = this.at(server);
    const { round } = here.ours.state;
    this.onReplica(server, {
      kind: 'recordChunks',
      round,
      from,
      verified: [{ first: 0, count: chunkCount }],
      rejected: [],
    });
    this.onReplica(server, { kind: 'publish' });
    here.hasFile ||= here.ours.state.status === 'published';
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

  /** `ReviewReplica`, with the program's own decision. */
  private review(server: number, report: PeerReport | null): void {
    const here = this.at(server);
    const { known, ours, stage: ownStage } = here;
    if (!known.facts) return;
    const facts: ReviewFacts = {
      facts: known.facts,
      ownStage,
      isUploaded: known.uploadedAt !== null,
      wasRemoved: known.removedCursor !== null,
      isRequestedBeforeRemoval: Number(ours.requestedCursor) < Number(known.removedCursor),
    };
    const file = findFile(here.hasFile, fileQuestion(facts, ours.state));
    for (const { command, files } of reviewReplica(facts, ours.state, report, file)) {
      const hasChanged = command === null || this.onReplica(server, command);
      if (hasChanged && files === 'removeAll') here.hasFile = false;
    }
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
      here.known = knownPackage.evolve(here.known, this.recorded(event));
    }
    // `DeleteRemovedFiles`.
    if (here.known.facts && isRemoved(here.known.facts)) here.hasFile = false;
    // A later publication is news also where nothing is held.
    this.tell(server, events, wasKnown && events.some(({ type }) => type === 'PackagePublished'));
    return true;
  }

  /** True when the command has changed something. */
  private onReplica(server: number, command: ReplicaCommand): boolean {
    const here = this.at(server);
    const wasPending = this.isPending(server);
    const events = replica.decide(command, here.ours.state);
    for (const event of events) here.ours = ourReplica.evolve(here.ours, this.recorded(event));
    const isPending = this.isPending(server);
    if (isPending && !wasPending) this.out.wanted(server);
    if (wasPending && !isPending && command.kind !== 'publish') this.out.unwanted(server);
    this.tell(server, events);
    return events.length > 0;
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

  /** The folds also look at the time of the record and at who made it, which changes nothing here. */
  private recorded<E extends DomainEvent>(event: E): Recorded<E> {
    this.events += 1;
    return {
      ...event,
      record: {
        cursor: String(this.events),
        recordedAt: new Date(0),
        metadata: { serverId: '', actor: { kind: 'system', id: '', name: '' } },
      } as RecordedEvent,
    };
  }
}

/** What a look at the file shows that is as close as the review asks for. */
function findFile(hasFile: boolean, question: ReturnType<typeof fileQuestion>): FoundFile {
  if (question === 'none') return 'unseen';
  if (!hasFile) return 'missing';
  return question === 'presence' ? 'present' : 'whole';
}
