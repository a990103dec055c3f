import { stampServer } from '../../../kernel/hybrid-clock.js';
import { isUpTo, type Stage } from '../../../kernel/stage.js';
import { ALL_RIGHTS, coversFilename, hasAllRights, type PeerRights } from '../../peers/contracts/peer-rights.js';
import type { PackageFacts } from '../contracts/package-facts.js';
import type { FilenameHolder } from '../contracts/package-queries.js';
import type { Register } from '../contracts/signed-facts.js';

/** Another present package with the filename, and the server that published it. */
export type OtherPackage = Pick<FilenameHolder, 'packageId' | 'originId' | 'originName'>;

/** The rights that count for what a peer tells, and what is needed to apply them. */
export interface AppliedRights {
  /** The rights of the peer that tells. */
  readonly ofTeller: PeerRights;
  /** The rights of a server that is registered here; null for any other one. */
  rightsOf(serverId: string): PeerRights | null;
  /** The present packages with the filename. Empty when no rule needs them. */
  readonly withFilename: readonly OtherPackage[];
}

/** For what is not limited by rights. */
export const NO_LIMITS: AppliedRights = { ofTeller: ALL_RIGHTS, rightsOf: () => null, withFilename: [] };

/** True when the other packages with the filename must be known to apply the rights: only limited peers need them. */
export const needsOtherPackages = (
  ours: PackageFacts | null,
  { publication }: PackageFacts,
  { ofTeller, rightsOf }: Pick<AppliedRights, 'ofTeller' | 'rightsOf'>,
): boolean => {
  if (ours && publication <= ours.publication) return false;
  return !ofTeller.mayTakeOver || rightsOf(stampServer(publication))?.mayTakeOver === false;
};

/** One register of a package that a server has set, and what is known of the package then. */
export interface RegisterChange {
  readonly register: Register;
  readonly packageId: string;
  readonly filename: string;
  /** The server where it happened; null when nobody says. */
  readonly serverId: string | null;
  /** False when it is only what the peer says. */
  readonly isVerified: boolean;
  /** The stage that it gives to the package; null when it gives none, or nobody knows. */
  readonly to: Stage | null;
  /** The stage of the package here before; null when there is none. */
  readonly from: Stage | null;
  /** The server that published the package last, before a publication and after it otherwise. Null when there is none. */
  readonly publisher: PackageFacts['origin'] | null;
}

type Whose = 'server' | 'teller';

const WHOSE: Readonly<Record<Whose, string>> = {
  server: 'The rights of the server where it happened',
  teller: 'The rights of the peer that tells it',
};

/**
 * Returns the reason, in a sentence, for which the rights do not allow a change; null when they do. The rights of the server
 * where it happened count, and those of the peer that tells when that server is not registered here. For what nobody has
 * signed, both count, because the peer may have invented it.
 */
export function findMissingRight(change: RegisterChange, applied: AppliedRights): string | null {
  const { serverId, isVerified } = change;
  const own = serverId === null ? null : applied.rightsOf(serverId);
  const counting: readonly (readonly [Whose, PeerRights])[] = [
    ...(own ? [['server', own] as const] : []),
    ...(own && isVerified ? [] : [['teller', applied.ofTeller] as const]),
  ];
  for (const [whose, rights] of counting) {
    const limit = hasAllRights(rights) ? null : findLimit(change, rights, applied.withFilename);
    if (limit !== null) return `${WHOSE[whose]} ${limit}.`;
  }
  return null;
}

function findLimit(change: RegisterChange, rights: PeerRights, others: readonly OtherPackage[]): string | null {
  if (!coversFilename(rights, change.filename)) return `are for filenames like ${rights.filenames.join(', ')}`;
  // The time of the first publication has no stage of its own.
  const stage = change.register === 'first' ? null : findStageLimit(change, rights);
  return (
    stage ?? (change.register === 'publication' ? findTakeover(change, rights, others) : findOthers(change, rights))
  );
}

/** Both stages count, as for accounts: what is above the limit of a server is not its business any more. */
function findStageLimit({ from, to }: RegisterChange, { publishUpTo }: PeerRights): string | null {
  if (to !== null && !isUpTo(publishUpTo, to)) return `end at the stage ${publishUpTo} and do not reach ${to}`;
  if (from !== null && !isUpTo(publishUpTo, from))
    return `end at the stage ${publishUpTo}, and the package is in ${from} here`;
  return null;
}

function findTakeover(
  { packageId, serverId, publisher }: RegisterChange,
  { mayTakeOver }: PeerRights,
  others: readonly OtherPackage[],
): string | null {
  if (mayTakeOver) return null;
  if (publisher && publisher.serverId !== serverId)
    return `do not allow publishing again what ${publisher.name} has published`;
  const taken = others.find((other) => other.packageId !== packageId && other.originId !== serverId);
  return taken ? `do not allow taking over the filename of a package that ${taken.originName} has published` : null;
}

function findOthers({ serverId, publisher }: RegisterChange, { mayChangeOthers }: PeerRights): string | null {
  if (mayChangeOthers || !publisher || publisher.serverId === serverId) return null;
  return `do not allow changing what ${publisher.name} has published`;
}
