import { countChunks, missingRanges } from '../../../src/kernel/chunk-ranges.js';
import {
  type FetchPlan,
  PlanFetch,
  PublishReplica,
  RecordChunks,
  RecordDamage,
} from '../../../src/modules/replication/fetch/replica-progress.command.js';
import { DeleteWithdrawn } from '../../../src/modules/replication/replica/delete-withdrawn.command.js';
import { systemActor, withContext } from '../../../src/platform/runtime/call-context.js';
import type { Reaction } from '../../../src/platform/eventsourcing/reaction.js';
import { PeerUnreachable, type PeerTransport } from '../../../src/ports/peer-transport.port.js';
import type { Gate } from './gate.js';
import { DiskContents } from './mesh-disk.js';
import { LogFile, MeshLog } from './mesh-log.js';
import { withdrawnIn } from './log-queries.js';
import { RefusedItems } from '../../../src/modules/replication/follow/refused-items.js';
import { KnownRights } from '../known-rights.js';
import { GRACE_MS, MeshProcess } from './mesh-process.js';
import { Shown } from './shown.js';

/** What a server sees of the others. */
export interface Neighbours {
  /** The other's process, null when it can't be reached. */
  reach(serverId: string, peerId: string): MeshProcess | null;
}

/** What a server does not accept of its neighbours because of their rights. */
class Refusals extends RefusedItems {
  private readonly noted = new Set<string>();

  override async note(peerId: string, { facts }: Parameters<RefusedItems['note']>[1]): Promise<void> {
    this.noted.add(`${peerId} ${facts.packageId}`);
  }

  has = (peerId: string, packageId: string): boolean => this.noted.has(`${peerId} ${packageId}`);
}

/** A server with what outlives its processes: log, disk, and the places that were saved. */
export class MeshServer {
  readonly disk = new DiskContents();
  readonly file: LogFile;
  /** Places in the feeds of peers, each with the stage that it holds for, the latest last. */
  readonly feedCursors = new Map<string, { readonly stage: string; readonly cursor: string }[]>();
  /** What it gives to its neighbours. */
  readonly rights = new KnownRights();
  readonly refusals = new Refusals();
  process: MeshProcess | null = null;
  /** Chunks that were downloaded here, by package. */
  readonly downloaded = new Map<string, number>();
  private readonly reactionCursors = new Map<string, string>();
  private readonly busy = new Set<string>();

  constructor(
    readonly id: string,
    private readonly gate: Gate,
    readonly wall: () => number,
    private readonly neighbours: Neighbours,
  ) {
    this.file = new LogFile(`epoch-${id}`, () => new Date(wall()));
  }

  /** What a start does: leftovers are swept away. */
  async boot(): Promise<void> {
    const { id: serverId, file, disk, gate, wall, rights, refusals } = this;
    this.busy.clear();
    this.process = new MeshProcess({ serverId, file, disk, gate, wall, transport: this.transport(), rights, refusals });
    const { packages } = this.shown();
    const held = new Set(packages.filter((row) => row.held).map((row) => row.id));
    for (const [id, since] of withdrawnIn(file)) if (since.getTime() + GRACE_MS > wall()) held.add(id);
    await this.process.storage.sweepUnwanted({ packages: held, replicas: new Set(this.unfinished()) });
  }

  kill(): void {
    this.process?.life.kill();
    this.process = null;
  }

  shown(): Shown {
    return new Shown(this.file.all, this.process?.identity.stage ?? 'Prod');
  }

  unfinished(): readonly string[] {
    return new Shown(this.file.all, 'Dev').packages
      .filter(({ fetching }) => fetching === 'REQUESTED')
      .map(({ id }) => id);
  }

  /** One thing of a name at a time, as a lock has it. */
  async alone(name: string, work: (process: MeshProcess) => Promise<void>): Promise<void> {
    const { process } = this;
    if (!process || this.busy.has(name)) return;
    this.busy.add(name);
    await Promise.race([work(process), process.life.ended]);
    if (this.process === process) this.busy.delete(name);
  }

  /** Everything new for each of the reactions. */
  async react(): Promise<void> {
    await Promise.all(
      (this.process?.reactions ?? []).map((reaction) =>
        this.alone(reaction.name, (process) => this.deliver(reaction, process)),
      ),
    );
  }

  /** The jobs of one replica: what is missing from whoever has it, then the last check. */
  fetch(packageId: string): Promise<void> {
    return this.alone(`fetch ${packageId}`, async (process) => {
      const plan = await process.bus.execute<FetchPlan | null>(new PlanFetch(packageId));
      if (!plan) return;
      if (countChunks(plan.verified) < plan.chunkCount) return this.download(process, plan);
      return this.publish(process, plan);
    });
  }

  /** The jobs that delete files of withdrawn replicas when it is time. */
  async deleteWithdrawn(): Promise<void> {
    const ids = [...withdrawnIn(this.file).keys()].filter((id) => this.disk.published.has(id));
    await Promise.all(
      ids.map((id) =>
        this.alone(`withdrawn ${id}`, async ({ bus }) => void (await bus.execute(new DeleteWithdrawn(id)))),
      ),
    );
  }

  private async deliver(reaction: Reaction, process: MeshProcess): Promise<void> {
    const log = new MeshLog(this.file, this.gate, process.life);
    const after = this.reactionCursors.get(reaction.name) ?? null;
    const subscription = log.subscribe({ after, types: reaction.eventTypes, signal: new AbortController().signal });
    for await (const item of subscription) {
      for (const event of item.kind === 'events' ? item.events : []) {
        await withContext({ actor: systemActor(reaction.name), causationId: event.id }, () => reaction.react(event));
      }
      this.reactionCursors.set(reaction.name, item.cursor);
    }
  }

  private async download(process: MeshProcess, plan: FetchPlan): Promise<void> {
    const { packageId, round, chunkCount } = plan;
    for (const { peerId } of plan.holders) {
      const source = this.neighbours.reach(this.id, peerId);
      const offered = source && (await answerOf(source, source.storage.digestStored(packageId)));
      if (offered !== plan.sha256) continue;
      await process.storage.reserveReplica(packageId);
      const [run] = missingRanges(plan.verified, chunkCount);
      if (!run) return;
      const wanted = { first: run.first, count: 1 + this.gate.choose(run.count) };
      await this.gate.pass(process.life);
      process.storage.write(packageId, wanted);
      this.downloaded.set(packageId, (this.downloaded.get(packageId) ?? 0) + wanted.count);
      const from = { peerId, peerName: peerId };
      await process.bus.execute(new RecordChunks({ packageId, round, from, verified: [wanted], rejected: [] }));
      return;
    }
  }

  private async publish(process: MeshProcess, { packageId, round, sha256, chunkCount }: FetchPlan): Promise<void> {
    const isInPlace = (await process.storage.digestStored(packageId)) === sha256;
    await (isInPlace ? process.storage.discardReplica(packageId) : process.storage.reserveReplica(packageId));
    const lost = process.storage.missing(packageId, chunkCount);
    if (!isInPlace && lost.length > 0) {
      await process.bus.execute(new RecordDamage({ packageId, round, actual: 'other', lost }));
      return;
    }
    if (!isInPlace) await process.storage.finish(packageId, sha256);
    await process.bus.execute(new PublishReplica(packageId));
  }

  private transport(): Pick<PeerTransport, 'get'> {
    return {
      get: async (peer, path) => {
        const found = this.neighbours.reach(this.id, peer.peerId);
        if (!found) throw new PeerUnreachable(peer.name, 'is away');
        try {
          const manifest = await answerOf(found, found.content.manifest(path.split('/')[4] ?? ''));
          if (manifest) return JSON.parse(JSON.stringify(manifest));
        } catch (error) {
          throw new PeerUnreachable(peer.name, String(error), 404);
        }
        throw new PeerUnreachable(peer.name, 'has gone');
      },
    };
  }
}

/** Null when the peer dies first. */
const answerOf = <T>({ life }: MeshProcess, answer: Promise<T>): Promise<T | null> =>
  Promise.race([answer, life.ended.then(() => null)]);
