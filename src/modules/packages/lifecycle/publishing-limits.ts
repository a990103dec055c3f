import { requireStage, type Authority } from '../../../kernel/access.js';
import { Refusal } from '../../../kernel/errors.js';
import { type Stage, STAGES, takesStage } from '../../../kernel/stage.js';
import { isRemoved, type PackageFacts } from '../contracts/package-facts.js';
import type { FilenameHolder } from '../contracts/package-queries.js';

/**
 * A package is the caller's own when it was published last on this server, by the caller's account or a token of it.
 * The name of an account is never given to another person. Accounts on other servers are other people's.
 */
const isOwnPackage = ({ origin, uploadedBy }: PackageFacts, authority: Authority, serverId: string): boolean =>
  origin.serverId === serverId && uploadedBy === authority.username;

function requireOwnPackage(authority: Authority, facts: PackageFacts, serverId: string, what: string): void {
  if (authority.ofOthers || isOwnPackage(facts, authority, serverId)) return;
  const { uploadedBy, origin } = facts;
  throw new Refusal(
    'FORBIDDEN',
    `${what}. ${uploadedBy} has published it on ${origin.name}. An account with the role admin can do this.`,
    {
      uploadedBy,
    },
  );
}

const isOwnHolder = ({ originId, uploadedBy }: FilenameHolder, authority: Authority, serverId: string): boolean =>
  originId === serverId && uploadedBy === authority.username;

/** The package that servers of this stage serve under a filename: of those that they take, the one published last. */
function servedAt(stage: Stage, holders: readonly FilenameHolder[]): FilenameHolder | null {
  const taken = holders.filter((holder) => takesStage(stage, holder.stage));
  return taken.reduce<FilenameHolder | null>((a, b) => (a && a.publication > b.publication ? a : b), null);
}

function requireReplaceable(holder: FilenameHolder, authority: Authority, serverId: string): void {
  if (isOwnHolder(holder, authority, serverId)) return;
  const { filename, uploadedBy, originName, packageId } = holder;
  throw new Refusal(
    'FORBIDDEN',
    `You may replace only packages that you have published yourself. ${uploadedBy} has published ${filename} on ${originName}. Choose another filename, or ask somebody with the role admin.`,
    { uploadedBy, packageId },
  );
}

/**
 * Checks whether a caller may publish other content under a filename: on no server may it replace a package of somebody
 * else, of whatever stage. A new publication is the last one, so it replaces what servers serve that take its stage.
 * @param holders the packages that have the filename
 * @param stage the stage of the new package; null when it is not known yet, which is then checked for Dev, so in any case
 * @throws Refusal FORBIDDEN
 */
export function requireMayTakeFilename(
  authority: Authority | null,
  holders: readonly FilenameHolder[],
  stage: Stage | null,
  serverId: string,
): void {
  if (!authority || authority.ofOthers) return;
  for (const server of STAGES.filter((one) => takesStage(one, stage ?? 'Dev'))) {
    const served = servedAt(server, holders);
    if (served) requireReplaceable(served, authority, serverId);
  }
}

/**
 * Checks whether a promotion lets a package replace one that somebody else has published than its own publisher, on
 * servers that did not take it before. The caller may let it replace a package of their own.
 * @throws Refusal FORBIDDEN
 */
export function requireMayReplaceByPromotion(
  authority: Authority | null,
  facts: PackageFacts,
  holders: readonly FilenameHolder[],
  to: Stage,
  serverId: string,
): void {
  if (!authority || authority.ofOthers || isRemoved(facts)) return;
  const others = holders.filter(({ packageId }) => packageId !== facts.packageId);
  for (const server of STAGES.filter((one) => takesStage(one, to) && !takesStage(one, facts.stage))) {
    const served = servedAt(server, others);
    if (!served || served.publication > facts.publication) continue;
    const hasSamePublisher = served.originId === facts.origin.serverId && served.uploadedBy === facts.uploadedBy;
    if (!hasSamePublisher) requireReplaceable(served, authority, serverId);
  }
}

/** Checks a promotion or demotion. @throws Refusal FORBIDDEN when the old or the new stage is above the caller's limit */
export function requireMayPromote(authority: Authority | null, facts: PackageFacts | null, to: Stage): void {
  requireStage(authority, to);
  if (facts) requireStage(authority, facts.stage);
}

/**
 * Checks a removal. @throws Refusal FORBIDDEN when somebody else has published the package, or its stage is above the
 * caller's limit
 */
export function requireMayRemove(authority: Authority | null, facts: PackageFacts | null, serverId: string): void {
  if (!authority || !facts) return;
  requireOwnPackage(authority, facts, serverId, 'You may remove only packages that you have published yourself');
  requireStage(authority, facts.stage);
}

/**
 * Checks a publication. Publishing the same file again changes the stage and the owner of the package.
 * @throws Refusal FORBIDDEN as for a promotion and a removal
 */
export function requireMayPublish(
  authority: Authority | null,
  facts: PackageFacts | null,
  stage: Stage,
  serverId: string,
): void {
  requireStage(authority, stage);
  if (!authority || !facts || isRemoved(facts)) return;
  requireOwnPackage(authority, facts, serverId, 'The same file has been published already');
  requireStage(authority, facts.stage);
}
