// Why a server does not have a package, as far as this server knows. The first reason is the one to look at first.
import { type Stage, takesStage } from '../../../kernel/stage.js';
import type { PackageView } from '../../packages/contracts/package-view.js';
import type { ReplicaView, ServerName } from '../contracts/replica-view.js';
import type { WatchedContact } from './peer-watch.js';

/** The kinds of reasons. HELD says that the server has the package. */
export const ABSENCE_CODES = [
  'HELD',
  'SUPERSEDED',
  'REMOVED',
  'NOT_A_PEER',
  'SUSPENDED',
  'POLICY',
  'STAGE',
  'RIGHTS',
  'FACTS_REFUSED',
  'FAILED',
  'DISK_FULL',
  'DAMAGED',
  'WITHDRAWN',
  'DELAYED',
  'PEER_AWAY',
  'NOT_WATCHED',
  'FETCHING',
  'NO_SOURCE',
  'NOT_HEARD_YET',
  'UNKNOWN_PACKAGE',
] as const;
export type AbsenceCode = (typeof ABSENCE_CODES)[number];

/** One reason, in words for an administrator. */
export interface AbsenceReason {
  readonly code: AbsenceCode;
  readonly words: string;
}

/** A peer as far as it matters for packages that should pass. */
export interface AskedPeer {
  readonly id: string;
  readonly name: string;
  readonly suspended: boolean;
  /** This server sends packages to it. */
  readonly isSentTo: boolean;
  /** This server takes packages from it. */
  readonly isReceivedFrom: boolean;
  /** When the next time window for sending begins, in words; null when packages may pass now. */
  readonly sendOpensAt: string | null;
  readonly contact: WatchedContact | null;
  /** The stage that it told last; null when it has told none. */
  readonly stage: Stage | null;
  /** It refuses what this server tells of the package, because of the rights that it gives. */
  readonly refuses: boolean;
  /** The stage of the package there, when it was asked and knows the package; null otherwise. */
  readonly toldStage: Stage | null;
}

/** Something that a peer told of the package and that this server does not accept or cannot use. */
export interface RefusedTelling {
  readonly peerName: string;
  readonly reason: string;
}

/** What this server knows. */
export interface AbsenceFacts {
  readonly own: ServerName & { readonly stage: Stage };
  readonly pkg: PackageView | null;
  /** The copies that this server knows. */
  readonly replicas: readonly ReplicaView[];
  readonly peers: readonly AskedPeer[];
  readonly refused: readonly RefusedTelling[];
  /** Words about a role that no process of this server has. */
  readonly missingRoles: readonly string[];
}

const reason = (code: AbsenceCode, words: string): AbsenceReason => ({ code, words });

/** The first reasons are those that nothing else can change. */
const inOrder = (reasons: readonly AbsenceReason[]): readonly AbsenceReason[] =>
  reasons.toSorted((a, b) => ABSENCE_CODES.indexOf(a.code) - ABSENCE_CODES.indexOf(b.code));

/** Why this server does not have the package. */
export function explainOwnAbsence(known: AbsenceFacts): readonly AbsenceReason[] {
  const { pkg, own } = known;
  if (pkg === null) return inOrder([...refusedReasons(known), ...whyUnknown(known)]);
  if (pkg.state === 'AVAILABLE') return [reason('HELD', `${own.name} has the package and serves it.`)];
  if (pkg.state === 'SUPERSEDED') {
    const words = `${own.name} has the package. It serves another package under the name ${pkg.filename}, which was published later.`;
    return [reason('SUPERSEDED', words)];
  }
  if (pkg.state === 'REMOVED') return [removed(pkg)];
  const stage = takesStage(own.stage, pkg.stage) ? [] : [stageReason(own.name, own.stage, pkg.stage)];
  const copy = known.replicas.find(({ local }) => local);
  return inOrder([...refusedReasons(known), ...stage, ...(stage.length > 0 ? [] : whyNotHeld(known, pkg, copy))]);
}

const removed = ({ filename }: PackageView): AbsenceReason =>
  reason(
    'REMOVED',
    `${filename} was removed from all servers. The audit trail says who did it. To have it back, upload it again.`,
  );

const stageReason = (name: string, server: Stage, stage: Stage): AbsenceReason =>
  reason(
    'STAGE',
    `The package has the stage ${stage}, and ${name} takes packages from the stage ${server} on. Promote the package ` +
      '(setPackageStage), or change the stage of the server (updateServer).',
  );

const refusedReasons = ({ refused }: AbsenceFacts): readonly AbsenceReason[] =>
  refused.map(({ peerName, reason: why }) =>
    reason('FACTS_REFUSED', `${peerName} told of the package what this server does not accept: ${why}`),
  );

/** The reason behind a package that is known, not removed, and wanted here. */
function whyNotHeld(known: AbsenceFacts, pkg: PackageView, copy: ReplicaView | undefined): readonly AbsenceReason[] {
  const { own } = known;
  const nobody = known.missingRoles.map((words) => reason('NOT_WATCHED', words));
  const delay = copy?.delay ? [delayReason(own.name, copy.delay)] : [];
  if (copy?.failure) {
    const words = `${own.name} has given the package up (${copy.failure.code}): ${copy.failure.reason} Remove the cause, then use retryReplica.`;
    return [reason('FAILED', words)];
  }
  if (pkg.state === 'DAMAGED') {
    const words = `The file of the package on ${own.name} is damaged or missing, and is fetched again from a peer that holds it.`;
    return [reason('DAMAGED', words), ...delay, ...nobody];
  }
  if (pkg.state === 'REPLICATING') {
    const percent = Math.floor((copy?.progress ?? 0) * 100);
    const fetching = reason('FETCHING', `${own.name} is fetching the package. It has ${percent} % of it.`);
    return [...delay, ...nobody, fetching];
  }
  const withdrawn =
    copy?.state === 'WITHDRAWN'
      ? [
          reason(
            'WITHDRAWN',
            `${own.name} had a copy, and has withdrawn it when the stage did not reach it or the package was removed.`,
          ),
        ]
      : [];
  const noSource = reason(
    'NO_SOURCE',
    `${own.name} knows the package, and no peer that it may fetch from has told that it holds it.`,
  );
  return [...withdrawn, noSource, ...nobody, ...known.peers.flatMap(whyPeerTellsNothing)];
}

const DELAY_CODES: Readonly<Record<string, AbsenceCode>> = {
  INSUFFICIENT_STORAGE: 'DISK_FULL',
  OUTSIDE_WINDOW: 'POLICY',
  PEER_UNREACHABLE: 'PEER_AWAY',
  NO_SOURCE: 'NO_SOURCE',
};

const delayReason = (name: string, delay: { readonly code: string; readonly reason: string }): AbsenceReason =>
  reason(
    DELAY_CODES[delay.code] ?? 'DELAYED',
    `${name} cannot go on with the package now (${delay.code}): ${delay.reason}`,
  );

/** Why this server may never have heard of a package. */
function whyUnknown({ own, peers, missingRoles }: AbsenceFacts): readonly AbsenceReason[] {
  const told = peers.flatMap(({ name, toldStage }) => {
    if (toldStage === null) return [];
    if (!takesStage(own.stage, toldStage)) return [stageReason(own.name, own.stage, toldStage)];
    return [reason('NOT_HEARD_YET', `${name} knows the package, and ${own.name} has not learnt of it yet.`)];
  });
  return [
    ...told.slice(0, 1),
    ...missingRoles.map((words) => reason('NOT_WATCHED', words)),
    ...peers.flatMap(whyPeerTellsNothing),
    reason(
      'UNKNOWN_PACKAGE',
      `${own.name} knows no package with this id or filename. Letter case counts in a filename. A server learns of packages ` +
        `from its peers, and of stages from ${own.stage} on only. Ask a server that has the package the same question.`,
    ),
  ];
}

/** Why this server hears nothing of a peer. */
function whyPeerTellsNothing({ name, suspended, isReceivedFrom, contact }: AskedPeer): readonly AbsenceReason[] {
  if (suspended)
    return [reason('SUSPENDED', `${name} is suspended here. Use resumePeer to take packages from it again.`)];
  if (!isReceivedFrom)
    return [reason('POLICY', `This server takes no packages from ${name}: its direction is SEND_ONLY here.`)];
  return contact === null ? [] : whyAway(name, contact);
}

function whyAway(name: string, { following, since, lastError, unknown }: WatchedContact): readonly AbsenceReason[] {
  if (unknown !== null) return [reason('NOT_WATCHED', `What ${name} tells is not known. ${unknown.reason}`)];
  if (following !== false) return [];
  return [
    reason('PEER_AWAY', `${name} has been away since ${since.toISOString()}: ${lastError ?? 'it does not answer'}`),
  ];
}

/** Why another server does not have the package. `peer` is null when it is no peer of this server. */
export function explainPeerAbsence(
  known: AbsenceFacts,
  server: ServerName,
  peer: AskedPeer | null,
): readonly AbsenceReason[] {
  const { pkg, own } = known;
  const { name } = server;
  if (pkg === null) {
    const words = `${own.name} knows no package with this id or filename, so it cannot tell it to ${name}. Letter case counts in a filename.`;
    return [...refusedReasons(known), reason('UNKNOWN_PACKAGE', words)];
  }
  if (pkg.state === 'REMOVED') return [removed(pkg)];
  const copy = known.replicas.find((replica) => replica.server.id === server.id);
  if (copy?.state === 'PUBLISHED') return [reason('HELD', `${name} has told that it has the whole package.`)];
  if (peer === null) {
    const words = `${name} is not registered with ${own.name}, so ${own.name} tells it nothing. Ask that server, or one of its peers.`;
    return [reason('NOT_A_PEER', words)];
  }
  return inOrder([...whyNotSent(known, pkg, peer), ...whatPeerDoes(pkg, copy, peer)]);
}

/** A peer that does not know the package says so, which this server knows better: it has not heard of it yet. */
const LEFT_OUT: readonly AbsenceCode[] = ['UNKNOWN_PACKAGE'];
/** What this server supposes as long as the peer has not said it itself. */
const SUPPOSED: readonly AbsenceCode[] = ['HELD', 'FETCHING', 'NOT_HEARD_YET', 'PEER_AWAY', 'NOT_WATCHED'];

/** Adds to what this server knows of a peer what that peer says about itself. */
export function withReasonsOf(
  peer: Pick<AskedPeer, 'name'> | null,
  told: readonly AbsenceReason[],
  known: readonly AbsenceReason[],
): readonly AbsenceReason[] {
  const added = told.filter(({ code }) => !LEFT_OUT.includes(code));
  if (peer === null || added.length === 0) return known;
  const says = added.map(({ code, words }) => reason(code, `${peer.name} says: ${words}`));
  const codes = new Set(added.map(({ code }) => code));
  return inOrder([...says, ...known.filter(({ code }) => !codes.has(code) && !SUPPOSED.includes(code))]);
}

/** Reasons for which this server does not send the package, or the peer does not take it. */
function whyNotSent({ own, missingRoles }: AbsenceFacts, pkg: PackageView, peer: AskedPeer): readonly AbsenceReason[] {
  const { name } = peer;
  const found: AbsenceReason[] = [];
  if (peer.suspended)
    found.push(
      reason('SUSPENDED', `${name} is suspended on ${own.name}. Use resumePeer to send packages to it again.`),
    );
  if (!peer.isSentTo)
    found.push(reason('POLICY', `${own.name} sends no packages to ${name}: its direction is RECEIVE_ONLY there.`));
  if (peer.sendOpensAt !== null)
    found.push(
      reason(
        'POLICY',
        `${own.name} sends packages to ${name} in certain time windows only. The next one begins at ${peer.sendOpensAt}.`,
      ),
    );
  if (peer.stage !== null && !takesStage(peer.stage, pkg.stage)) found.push(stageReason(name, peer.stage, pkg.stage));
  if (peer.refuses) {
    const words = `${name} refuses what ${own.name} tells of the package, because of the rights that it gives. An administrator of ${name} can change them (setPeerRights); its audit trail shows the refusal.`;
    found.push(reason('RIGHTS', words));
  }
  if (pkg.state !== 'AVAILABLE' && pkg.state !== 'SUPERSEDED' && pkg.state !== 'WITHHELD') {
    found.push(
      reason(
        'NO_SOURCE',
        `${own.name} does not have the whole package itself (${pkg.state}). Ask why it is not on ${own.name}.`,
      ),
    );
  }
  if (peer.contact === null) found.push(...missingRoles.map((words) => reason('NOT_WATCHED', words)));
  return found;
}

function whatPeerDoes(
  pkg: PackageView,
  copy: ReplicaView | undefined,
  { name, contact, stage }: AskedPeer,
): readonly AbsenceReason[] {
  const away = contact === null ? [] : whyAway(name, contact);
  const ask = `Ask ${name} itself for the reason: whyNot(package: "${pkg.id}", server: "${name}").`;
  if (copy?.state === 'REQUESTED' || copy?.state === 'FETCHING') {
    return [
      ...away,
      reason(
        'FETCHING',
        `${name} has told that it is fetching the package. If that does not end, it may lack space or a source. ${ask}`,
      ),
    ];
  }
  const stageUnknown = stage === null ? ` ${name} has not told its stage.` : '';
  return [
    ...away,
    reason('NOT_HEARD_YET', `${name} has not told that it has the package or is fetching it.${stageUnknown} ${ask}`),
  ];
}
