import { type IQueryHandler, Query, QueryBus, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Refusal } from '../../../kernel/errors.js';
import { pause } from '../../../kernel/retry.js';
import type { Stage } from '../../../kernel/stage.js';
import { localTime, maySendTo, receivesFrom, sendsTo } from '../../../kernel/transfer-policy.js';
import { readerOf } from '../../../platform/failures/unprocessable-events.js';
import { machineText } from '../../../platform/input/parsers.js';
import { wireSchema } from '../../../platform/input/wire-schema.js';
import { nearestNames } from '../../../platform/input/known-names.js';
import { RunningProcesses } from '../../../platform/jobs/running-processes.js';
import { type PeerContact, PeerDirectory } from '../../../ports/peer-directory.port.js';
import { PeerTransport } from '../../../ports/peer-transport.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { PackagesByIdQuery } from '../../packages/contracts/package-queries.js';
import type { PackageView } from '../../packages/contracts/package-view.js';
import type { ServerName } from '../contracts/replica-view.js';
import { PeerItem } from '../follow/feed-item.js';
import { judgeContact } from './peer-watch.js';
import { ReplicasQuery } from './replicas.query.js';
import { PeerContactsQuery, PeerStagesQuery } from './replication-status.query.js';
import { RefusingPeersQuery } from './refused.query.js';
import {
  ABSENCE_CODES,
  type AbsenceFacts,
  type AbsenceReason,
  type AskedPeer,
  explainOwnAbsence,
  explainPeerAbsence,
  type RefusedTelling,
  withReasonsOf,
} from './why-not.js';

/** What is known of a package on one server. */
export interface WhyNotView {
  readonly server: ServerName;
  readonly package: PackageView | null;
  /** True when the server has the whole package, as far as this server knows. */
  readonly isHeld: boolean;
  readonly reasons: readonly AbsenceReason[];
}

/**
 * Asks why this server does not have a package, for a peer. The reasons are about this server and that peer alone: other
 * peers are not its business.
 */
export class WhyNotHereQuery extends Query<readonly AbsenceReason[]> {
  constructor(
    readonly packageId: string,
    readonly callerId: string,
  ) {
    super();
  }
}

/**
 * Asks why a server does not have a package. Both are named by an id or a name.
 * @throws Refusal INVALID_REQUEST when no server, or more than one, has the name
 */
export class WhyNotQuery extends Query<WhyNotView> {
  constructor(
    readonly packageIdOrFilename: string,
    readonly serverIdOrName: string,
  ) {
    super();
  }
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
/** A peer that is asked for a package has this time to answer. */
const ANSWER_TIMEOUT_MS = 3_000;
const MAX_ITEM_BYTES = 128 * 1024;
const MAX_REASONS_BYTES = 64 * 1024;
const MAX_REASONS = 20;
const MAX_REFUSED = 10;

/** A peer's answer to `GET /peer/v1/packages/<id>/why-not`. A server of an earlier version does not know the path. */
const PeerReasons = wireSchema(
  'reasons of a peer',
  z.object({
    reasons: z
      .array(z.object({ code: z.enum(ABSENCE_CODES), words: machineText({ min: 1, max: 4_000, anyForm: true }) }))
      .max(MAX_REASONS),
  }),
);

const FIND_BY_FILENAME = `
SELECT id FROM packages WHERE filename = $1 ORDER BY state = 'AVAILABLE' DESC, state <> 'REMOVED' DESC, publication DESC LIMIT 1`;

/** What this server has not accepted, unless it was accepted later or something later has replaced it. */
const FIND_REFUSED = `
SELECT peer_name AS "peerName", reason FROM (
  SELECT DISTINCT ON (refused.peer_id, refused.register) refused.* FROM refused_facts refused
  LEFT JOIN packages known ON known.id = refused.package_id
  WHERE (refused.package_id = $1 OR $1 IS NULL AND refused.filename = $2) AND NOT coalesce(CASE refused.register
    WHEN 'publication' THEN known.publication COLLATE "C" >= stamp
    WHEN 'stage' THEN known.stage_stamp COLLATE "C" >= stamp
    WHEN 'removal' THEN known.removal COLLATE "C" >= stamp
    ELSE known.first_published_at <= stamp::timestamptz END, false)
  ORDER BY refused.peer_id, refused.register, refused.refused_at DESC) latest
ORDER BY refused_at DESC LIMIT ${MAX_REFUSED}`;

@QueryHandler(WhyNotQuery)
export class WhyNotHandler implements IQueryHandler<WhyNotQuery> {
  constructor(
    private readonly dataSource: DataSource,
    private readonly queries: QueryBus,
    private readonly directory: PeerDirectory,
    private readonly identity: ServerIdentity,
    private readonly processes: RunningProcesses,
    private readonly transport: PeerTransport,
  ) {}

  async execute({ packageIdOrFilename, serverIdOrName }: WhyNotQuery): Promise<WhyNotView> {
    const peers = await this.directory.list();
    const server = await this.requireServer(serverIdOrName, peers);
    const isOwn = server.id === this.identity.serverId;
    const packageId = UUID.test(packageIdOrFilename)
      ? packageIdOrFilename.toLowerCase()
      : await this.findId(packageIdOrFilename);
    const pkg =
      packageId === null ? null : ((await this.queries.execute(new PackagesByIdQuery([packageId])))[0] ?? null);
    const asked = isOwn && pkg === null && packageId !== null ? await this.askPeers(peers, packageId) : new Map();
    const known: AbsenceFacts = {
      own: { ...this.ownName(), stage: this.identity.stage },
      pkg,
      replicas: packageId === null ? [] : ((await this.queries.execute(new ReplicasQuery([packageId])))[0] ?? []),
      peers: await this.describePeers(peers, packageId, asked),
      refused: await this.findRefused(packageId, packageIdOrFilename),
      missingRoles: this.processes.findMissing().map(({ words }) => words),
    };
    const peer = known.peers.find(({ id }) => id === server.id) ?? null;
    const contact = isOwn ? undefined : peers.find(({ peerId, suspended }) => peerId === server.id && !suspended);
    const told = contact && packageId !== null ? await this.askForReasons(contact, packageId) : [];
    const reasons = isOwn
      ? explainOwnAbsence(known)
      : withReasonsOf(peer, told, explainPeerAbsence(known, server, peer));
    return {
      server,
      package: pkg,
      isHeld: reasons.some(({ code }) => code === 'HELD' || code === 'SUPERSEDED'),
      reasons,
    };
  }

  /** What a peer says about itself. Nothing, when it does not answer in time. */
  private async askForReasons(peer: PeerContact, packageId: string): Promise<readonly AbsenceReason[]> {
    const path = `/peer/v1/packages/${packageId}/why-not`;
    const asked = this.transport.get(peer, path, MAX_REASONS_BYTES).catch(() => null);
    const { data } = PeerReasons.read(await withinTime(asked));
    return data?.reasons ?? [];
  }

  private ownName(): ServerName {
    return { id: this.identity.serverId, name: this.identity.name };
  }

  private async findId(filename: string): Promise<string | null> {
    const rows: { id: string }[] = await this.dataSource.query(FIND_BY_FILENAME, [filename]);
    return rows[0]?.id ?? null;
  }

  /** Of servers with one name, this server and its peers come before those that are known from others only. */
  private async requireServer(idOrName: string, peers: readonly PeerContact[]): Promise<ServerName> {
    const near = [this.ownName(), ...peers.map(({ peerId, name }) => ({ id: peerId, name }))];
    const others: ServerName[] = await this.dataSource.query('SELECT id, name FROM replica_servers ORDER BY name, id');
    const far = others.filter(({ id }) => !near.some((server) => server.id === id));
    const byId = [...near, ...far].find(({ id }) => id === idOrName.toLowerCase());
    if (byId) return byId;
    for (const known of [near, far]) {
      const [found, ...more] = known.filter(({ name }) => name === idOrName);
      if (found && more.length === 0) return found;
      if (found) throw new Refusal('INVALID_REQUEST', '`server` is the name of several servers. Give the id of one.');
    }
    const names = nearestNames(
      idOrName,
      [...near, ...far].map(({ name }) => name),
    );
    const message = `\`server\` names no server that this one knows. The nearest names are ${names.join(', ')}.`;
    throw new Refusal('INVALID_REQUEST', message, { argument: 'server' });
  }

  private async describePeers(
    peers: readonly PeerContact[],
    packageId: string | null,
    asked: ReadonlyMap<string, Stage>,
  ): Promise<readonly AskedPeer[]> {
    const ids = peers.map(({ peerId }) => peerId);
    const [contacts, stages, refusing] = await Promise.all([
      this.queries.execute(new PeerContactsQuery(ids)),
      this.queries.execute(new PeerStagesQuery(ids)),
      packageId === null ? [] : this.queries.execute(new RefusingPeersQuery([packageId])),
    ]);
    const now = new Date();
    return peers.map(({ peerId, name, suspended, policy }, i) => {
      const state = suspended ? 'SUSPENDED' : 'REGISTERED';
      const { opensAt } = maySendTo(policy, now);
      return {
        id: peerId,
        name,
        suspended,
        isSentTo: sendsTo(policy),
        isReceivedFrom: receivesFrom(policy),
        sendOpensAt: opensAt && localTime(opensAt),
        contact: judgeContact({ state, direction: policy.direction, changedAt: now }, contacts[i] ?? null),
        stage: stages[i]?.stage ?? null,
        refuses: refusing.flat().some(({ id }) => id === peerId),
        toldStage: asked.get(peerId) ?? null,
      };
    });
  }

  private async findRefused(packageId: string | null, filename: string): Promise<readonly RefusedTelling[]> {
    const facts: RefusedTelling[] = await this.dataSource.query(FIND_REFUSED, [packageId, filename]);
    if (packageId === null) return facts;
    // The readers of feeds record an item that they cannot use under the id of its package.
    const items: RefusedTelling[] = await this.dataSource.query(
      `SELECT coalesce(s.name, e.reader) AS "peerName", e.reason FROM state.unprocessable_events e
       LEFT JOIN replica_servers s ON e.reader = $2 || s.id
       WHERE e.event_id = $1 AND e.reader LIKE $2 || '%' AND e.processed_at IS NULL LIMIT ${MAX_REFUSED}`,
      [packageId, readerOf.feedOfPeer('')],
    );
    return [...facts, ...items];
  }

  /** Asks the peers for a package that this server does not know: packages of other stages are not recorded here. */
  private async askPeers(peers: readonly PeerContact[], packageId: string): Promise<ReadonlyMap<string, Stage>> {
    const stages = new Map<string, Stage>();
    const ask = async (peer: PeerContact): Promise<void> => {
      const answer = await this.transport.postTo(peer, '/peer/v1/items', { ids: [packageId] }, MAX_ITEM_BYTES);
      const items: unknown = typeof answer === 'object' && answer !== null && 'items' in answer ? answer.items : null;
      for (const item of Array.isArray(items) ? items : []) {
        const { data } = PeerItem.read(item);
        if (data?.facts.packageId === packageId) stages.set(peer.peerId, data.facts.stage);
      }
    };
    const wanted = peers.filter(({ suspended, policy }) => !suspended && receivesFrom(policy));
    await withinTime(Promise.allSettled(wanted.map(ask)));
    return stages;
  }
}

/** Null when the work has not ended in time. */
async function withinTime<T>(work: Promise<T>): Promise<T | null> {
  const ended = new AbortController();
  const result = await Promise.race([work, pause(ANSWER_TIMEOUT_MS, [ended.signal]).then(() => null)]);
  ended.abort();
  return result;
}

@QueryHandler(WhyNotHereQuery)
export class WhyNotHereHandler implements IQueryHandler<WhyNotHereQuery> {
  constructor(
    private readonly queries: QueryBus,
    private readonly directory: PeerDirectory,
    private readonly identity: ServerIdentity,
    private readonly processes: RunningProcesses,
  ) {}

  async execute({ packageId, callerId }: WhyNotHereQuery): Promise<readonly AbsenceReason[]> {
    const [pkg = null] = await this.queries.execute(new PackagesByIdQuery([packageId]));
    const [replicas = []] = await this.queries.execute(new ReplicasQuery([packageId]));
    const caller = await this.directory.find(callerId);
    return explainOwnAbsence({
      own: { id: this.identity.serverId, name: this.identity.name, stage: this.identity.stage },
      pkg,
      replicas,
      peers: caller ? [asCaller(caller)] : [],
      refused: [],
      missingRoles: this.processes.findMissing().map(({ words }) => words),
    });
  }
}

/** The caller answers, so nothing is known that keeps it away. */
const asCaller = ({ peerId, name, suspended, policy }: PeerContact): AskedPeer => ({
  id: peerId,
  name,
  suspended,
  isSentTo: sendsTo(policy),
  isReceivedFrom: receivesFrom(policy),
  sendOpensAt: null,
  contact: null,
  stage: null,
  refuses: false,
  toldStage: null,
});
