import type { PackageFacts } from './package-facts.js';
import type { PackageEvent } from './package.events.js';
import { type PublicationStatement, type Register, REGISTERS, type SignedFact } from './signed-facts.js';

/** Whether a statement says exactly what a register of these facts contains. */
function states({ statement }: SignedFact, register: Register, facts: PackageFacts): boolean {
  if (statement.packageId !== facts.packageId || statement.sha256 !== facts.sha256) return false;
  if (statement.filename !== facts.filename) return false;
  switch (statement.kind) {
    case 'publication':
      return statesPublication(statement, register, facts);
    case 'stage':
      return register === 'stage' && statement.stamp === facts.stageStamp && statement.stage === facts.stage;
    case 'removal':
      return register === 'removal' && statement.stamp === facts.removal;
  }
}

function statesPublication(statement: PublicationStatement, register: Register, facts: PackageFacts): boolean {
  const { size, sha1, chunkSize, chunkCount } = statement;
  const sameContent =
    size === facts.size && sha1 === facts.sha1 && chunkSize === facts.chunkSize && chunkCount === facts.chunkCount;
  if (!sameContent) return false;
  if (register === 'first') return statement.firstPublishedAt === facts.firstPublishedAt;
  if (register === 'stage') {
    return statement.stage?.stamp === facts.stageStamp && statement.stage.stage === facts.stage;
  }
  return (
    register === 'publication' &&
    statement.publication === facts.publication &&
    statement.serverId === facts.origin.serverId &&
    statement.serverName === facts.origin.name &&
    statement.actor === facts.uploadedBy
  );
}

/** The signed statement of a register; null when none of them states it. */
export const proofOf = (register: Register, facts: PackageFacts, proofs: readonly SignedFact[]): SignedFact | null =>
  proofs.find((proof) => states(proof, register, facts)) ?? null;

/** The registers that have a value and no signed statement. */
export const unsignedRegisters = (facts: PackageFacts, proofs: readonly SignedFact[]): readonly Register[] =>
  REGISTERS.filter(
    (register) => (register !== 'removal' || facts.removal !== null) && proofOf(register, facts, proofs) === null,
  );

/** Of these signed statements, those that state a register of the facts, each register once. */
export function provingOnly(facts: PackageFacts, proofs: readonly SignedFact[]): readonly SignedFact[] {
  const needed = new Set(REGISTERS.map((register) => proofOf(register, facts, proofs)));
  return proofs.filter((proof) => needed.has(proof));
}

/** The signed statements that an event brings. */
export function proofsIn(event: PackageEvent): readonly SignedFact[] {
  switch (event.type) {
    case 'PackagePublished':
    case 'PackageFactsSigned':
      return event.data.proofs ?? [];
    case 'PackageStageChanged':
    case 'PackageRemoved':
      return event.data.proof ? [event.data.proof] : [];
    default:
      return [];
  }
}

/** The signed statements of the present registers after an event. @param facts are the facts after the event */
export function foldProofs(
  proofs: readonly SignedFact[],
  event: PackageEvent,
  facts: PackageFacts | null,
): readonly SignedFact[] {
  const added = proofsIn(event);
  if (!facts) return proofs;
  return added.length === 0 && proofs.length === 0 ? proofs : provingOnly(facts, [...proofs, ...added]);
}
