import { stampServer } from '../../../kernel/hybrid-clock.js';
import { proofOf } from '../../packages/contracts/fact-proofs.js';
import { type FactStatement, REGISTERS, type SignedFact, stampOf } from '../../packages/contracts/signed-facts.js';
import type { ChangedData, FactEvent, PublishedData, Recorder } from './fact-shapes.js';

/** What a statement says otherwise than the event that brings it, as the end of a sentence; null when they agree. */
export function findDisagreement(event: FactEvent, proof: SignedFact, recorder: Recorder): string | null {
  const { statement } = proof;
  if (statement.packageId !== event.data.packageId || statement.filename !== event.data.filename)
    return 'is about another package';
  if (stampServer(stampOf(statement)) !== statement.serverId) return 'has a time stamp of another server';
  if (event.data.source.kind === 'local' && statement.serverId !== recorder.serverId)
    return 'is of another server, although the event says that it happened here';
  switch (event.type) {
    case 'PackagePublished':
      return disagreesWithPublication(event.data, proof);
    case 'PackageStageChanged':
      if (!isStageOf(statement, event.data.to, event.data.stamp)) return 'has another stage or time stamp';
      return disagreesOnAuthor(event.data, statement, recorder);
    case 'PackageRemoved':
      if (statement.kind !== 'removal' || statement.stamp !== event.data.stamp) return 'is of another removal';
      return disagreesOnAuthor(event.data, statement, recorder);
    case 'PackageFactsSigned':
      return null;
  }
}

/** The registers that a publication on this server sets. It signs all of them together. */
const PUBLISHED_TOGETHER = REGISTERS.filter((register) => register !== 'removal');

function disagreesWithPublication(data: PublishedData, proof: SignedFact): string | null {
  const { statement } = proof;
  const facts = { ...data, removal: null };
  const states = REGISTERS.filter((register) => proofOf(register, facts, [proof]) !== null);
  if (states.length === 0) return 'has other digests, another time or another stage';
  if (statement.kind === 'publication') {
    if (statement.publication === data.publication && !states.includes('publication'))
      return 'has another server or actor';
    if (statement.stage?.stamp === data.stageStamp && !states.includes('stage')) return 'has another stage';
  }
  if (data.source.kind === 'local' && states.length < PUBLISHED_TOGETHER.length)
    return 'has another stage or another time of the first publication';
  return null;
}

const isStageOf = (statement: FactStatement, stage: string, stamp: string): boolean =>
  statement.kind === 'publication'
    ? statement.stage?.stage === stage && statement.stage.stamp === stamp
    : statement.kind === 'stage' && statement.stage === stage && statement.stamp === stamp;

/** For a change on this server, the metadata of the event says who made it. */
function disagreesOnAuthor({ source, by }: ChangedData, statement: FactStatement, recorder: Recorder): string | null {
  const { serverId, serverName, actor } = statement;
  const isSame =
    source.kind === 'local'
      ? actor === recorder.actor.name
      : by?.serverId === serverId && by.serverName === serverName && by.actor === actor;
  return isSame ? null : 'has another server or actor';
}
