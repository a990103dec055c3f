import { requireStage, type Authority } from '../../../kernel/access.js';
import { Refusal } from '../../../kernel/errors.js';
import type { Stage } from '../../../kernel/stage.js';
import { isRemoved, type PackageFacts } from '../contracts/package-facts.js';

/**
 * What a caller has published: the last publication of the package was made on this server, by their account or a token of
 * it. Names of accounts are never given to somebody else; those on other servers are other people's.
 */
const isOwnPackage = ({ origin, uploadedBy }: PackageFacts, authority: Authority, serverId: string): boolean =>
  origin.serverId === serverId && uploadedBy === authority.username;

function requireOwnPackage(authority: Authority, facts: PackageFacts, serverId: string, what: string): void {
  if (authority.ofOthers || isOwnPackage(facts, authority, serverId)) return;
  const { uploadedBy, origin } = facts;
  throw new Refusal('FORBIDDEN', `${what}: ${uploadedBy} has published it on ${origin.name}. The role admin can.`, {
    uploadedBy,
  });
}

/** @throws Refusal FORBIDDEN for a stage above the caller's limit, from which or to which */
export function requireMayPromote(authority: Authority | null, facts: PackageFacts | null, to: Stage): void {
  requireStage(authority, to);
  if (facts) requireStage(authority, facts.stage);
}

/** @throws Refusal FORBIDDEN for what somebody else has published, or has come above the caller's limit */
export function requireMayRemove(authority: Authority | null, facts: PackageFacts | null, serverId: string): void {
  if (!authority || !facts) return;
  requireOwnPackage(authority, facts, serverId, 'You may remove only what you have published yourself');
  requireStage(authority, facts.stage);
}

/**
 * The same file once more changes the stage of the package, and whose it is. @throws Refusal FORBIDDEN, as for a promotion
 * and a removal
 */
export function requireMayPublish(
  authority: Authority | null,
  facts: PackageFacts | null,
  stage: Stage,
  serverId: string,
): void {
  requireStage(authority, stage);
  if (!authority || !facts || isRemoved(facts)) return;
  requireOwnPackage(authority, facts, serverId, 'This very file is there already');
  requireStage(authority, facts.stage);
}
