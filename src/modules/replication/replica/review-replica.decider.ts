import { takesStage, type Stage } from '../../../kernel/stage.js';
import { isRemoved, type PackageFacts, registerStamps } from '../../packages/contracts/package-facts.js';
import type { PeerCopy } from '../contracts/replica.events.js';
import { isUnderWay } from './our-replica.js';
import type { ReplicaCommand, ReportHolder } from './replica.commands.js';
import type { ReplicaContent, ReplicaState } from './replica.state.js';

/** The knowledge of this server about a package, as far as it decides about our copy. */
export interface ReviewFacts {
  readonly facts: PackageFacts;
  /** The stage of this server. */
  readonly ownStage: Stage;
  /** True when the package was uploaded here, so that its bytes do not depend on any peer. */
  readonly isUploaded: boolean;
  /** True when the package was ever removed, even if it was published again later. */
  readonly wasRemoved: boolean;
  /** True when our copy was last requested before the last removal, which has ended it. */
  readonly isRequestedBeforeRemoval: boolean;
}

/** The report of a peer about its own copy. `copy` is null when it has none. */
export interface PeerReport {
  readonly peerId: string;
  readonly peerName: string;
  readonly copy: PeerCopy | null;
  /** True when the peer has a copy and lacks news about the package that this server has. */
  readonly isOutdated: boolean;
}

/**
 * The result of a look at the published file of the package: `unseen` when nobody looked, `present` when its digest was
 * not computed, `whole` when it has the digest of the package, `different` when it has not.
 */
export type FoundFile = 'unseen' | 'missing' | 'present' | 'whole' | 'different';

/** The kind of look that the review needs at the file. For a digest, the whole file is read. */
type FileQuestion = 'none' | 'presence' | 'digest';

/** One step of a review. `files` is done only if there is no command, or the command has changed something. */
export interface ReviewStep {
  readonly command: ReplicaCommand | null;
  /** `discardFetched` removes what was fetched so far; `removeAll` removes the published file as well. */
  readonly files: 'keep' | 'discardFetched' | 'removeAll';
}

const recordStep = (command: ReplicaCommand, files: ReviewStep['files'] = 'keep'): ReviewStep => ({ command, files });

/** True when this server wants a copy: the package is not removed, and its stage reaches this server. */
const isWanted = ({ facts, ownStage }: ReviewFacts): boolean => !isRemoved(facts) && takesStage(ownStage, facts.stage);

const hasCopy = ({ status }: ReplicaState): boolean => status !== 'none' && status !== 'withdrawn';

/**
 * A removal ends every copy, and a later publication may follow so soon that no review has withdrawn the copy yet. It
 * is over when it was requested before the removal, or when its file was deleted.
 */
function isEndedByRemoval(known: ReviewFacts, replica: ReplicaState, file: FoundFile): boolean {
  if (!known.wasRemoved || !hasCopy(replica)) return false;
  return known.isRequestedBeforeRemoval || (replica.status === 'published' && file === 'missing');
}

/** Says which kind of look at the file `reviewReplica` needs before it can decide. */
export function fileQuestion(known: ReviewFacts, replica: ReplicaState): FileQuestion {
  const { isUploaded, wasRemoved } = known;
  if (!isWanted(known)) {
    return !isUploaded && replica.content === null && wasRemoved && !isRemoved(known.facts) ? 'presence' : 'none';
  }
  if (isUploaded && replica.isDamaged && isUnderWay(replica)) return 'digest';
  const mayAdopt = replica.status === 'withdrawn' || isEndedByRemoval(known, replica, 'unseen');
  if (mayAdopt && !isUploaded) return 'digest';
  return wasRemoved && replica.status === 'published' && !known.isRequestedBeforeRemoval ? 'presence' : 'none';
}

/**
 * Decides what should become of our copy, and returns the steps in their order. A step may change nothing: its command goes to the
 * decider of the replica, which has the last word on the state that it reads then. After the steps are carried out, the
 * same review gives no step that changes anything.
 */
export function reviewReplica(
  known: ReviewFacts,
  replica: ReplicaState,
  report: PeerReport | null,
  file: FoundFile,
): readonly ReviewStep[] {
  const steps = isWanted(known) ? keepReplica(known, replica, report, file) : endReplica(known, replica, report, file);
  return report?.isOutdated ? [recordStep(tellAgain(known.facts, report)), ...steps] : steps;
}

function keepReplica(
  known: ReviewFacts,
  replica: ReplicaState,
  report: PeerReport | null,
  file: FoundFile,
): readonly ReviewStep[] {
  const { facts, isUploaded } = known;
  const steps: ReviewStep[] = [];
  let { status } = replica;
  if (isEndedByRemoval(known, replica, file)) {
    steps.push(recordStep({ kind: 'withdraw', reason: 'removed' }, 'discardFetched'));
    status = 'withdrawn';
  }
  if (isUploaded) {
    if (report) steps.push(recordStep(toReport(facts, report)));
    // An upload here also ends a copy that is being fetched from a peer, or that has failed. But when the file of an
    // upload was found damaged, the package still counts as uploaded for a moment: then only a whole file ends the repair.
    const hasArrived = isUnderWay({ status }) && (!replica.isDamaged || file === 'whole');
    if (hasArrived) steps.push(recordStep({ kind: 'arrive' }, 'discardFetched'));
    return steps;
  }
  if (status === 'withdrawn' && file === 'whole' && replica.fromPeerId !== null) {
    steps.push(recordStep({ kind: 'adopt', content: toContent(facts) }, 'discardFetched'));
  }
  if (report && report.copy !== null) {
    return [...steps, recordStep({ kind: 'announce', report: toReport(facts, report), content: toContent(facts) })];
  }
  if (report) steps.push(recordStep(toReport(facts, report)));
  const [fromPeerId] = [...replica.holders.keys()].filter((peerId) => peerId !== report?.peerId);
  if (fromPeerId !== undefined) steps.push(recordStep({ kind: 'request', content: toContent(facts), fromPeerId }));
  return steps;
}

function endReplica(
  { facts, isUploaded, wasRemoved }: ReviewFacts,
  replica: ReplicaState,
  report: PeerReport | null,
  file: FoundFile,
): readonly ReviewStep[] {
  const told = report ? [recordStep(toReport(facts, report))] : [];
  // The stage says which servers get a copy. The bytes of an upload may be the only ones there are, so they stay; only
  // a copy that is being fetched ends.
  if (isUploaded && !isUnderWay(replica)) return told;
  if (replica.content === null) {
    // An upload was removed, and a publication elsewhere followed before the file was deleted.
    const isLeftOver = wasRemoved && !isRemoved(facts) && file === 'present';
    return isLeftOver ? [...told, { command: null, files: 'removeAll' }] : told;
  }
  // After a withdrawal because of the stage the file stays for its grace time.
  return isRemoved(facts)
    ? [...told, recordStep({ kind: 'withdraw', reason: 'removed' }, 'removeAll')]
    : [...told, recordStep({ kind: 'withdraw', reason: 'stage' }, 'discardFetched')];
}

const toContent = ({ packageId, filename, size, sha256, chunkCount }: PackageFacts): ReplicaContent => ({
  packageId,
  filename,
  size,
  sha256,
  chunkCount,
});

const toReport = ({ packageId }: PackageFacts, { peerId, peerName, copy }: PeerReport): ReportHolder => ({
  kind: 'report',
  packageId,
  holder: { peerId, peerName },
  copy,
});

const tellAgain = (facts: PackageFacts, { peerId, peerName }: PeerReport): ReplicaCommand => ({
  kind: 'outdated',
  packageId: facts.packageId,
  holder: { peerId, peerName },
  told: [...registerStamps(facts), facts.firstPublishedAt].join(' '),
});
