import { requireStage, type Authority } from '../../../kernel/access.js';
import { Refusal } from '../../../kernel/errors.js';
import type { Stage } from '../../../kernel/stage.js';
import { isRemoved, type PackageFacts } from '../contracts/package-facts.js';

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
