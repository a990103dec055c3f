import { describe, expect, it } from 'vitest';
import { PEER, publication } from '../../../../test/support/read-side.js';
import { publicationStatement, signFact } from '../../../../test/support/sign-fact.js';
import { SigningServer } from '../../../../test/support/signing-server.js';
import type { PackageFacts } from '../contracts/package-facts.js';
import type { SignedFact } from '../contracts/signed-facts.js';
import { judgePeerFacts, type Trust } from './judge-peer-facts.js';

const berlin = new SigningServer(PEER, 'Berlin');
const stamp = (time: number): string => `00000000000${time}-0000-${PEER}`;
const published = publication('a.pkg', {
  origin: { serverId: PEER, name: 'Berlin' },
  publication: stamp(2),
  stageStamp: stamp(1),
});
const { source: _source, ...data } = published;
const facts: PackageFacts = { ...data, removal: null };
const proof = signFact(publicationStatement(published), berlin);

/** Everything is verified, and servers of earlier versions are believed. */
const trust: Trust = { ownServerId: 'here', verdictOf: () => 'verified', allowsUnsigned: () => true };
const refusedOf = (told: PackageFacts, proofs: readonly SignedFact[]) => {
  const { accepted, refused } = judgePeerFacts(
    null,
    { facts: told, proofs, authors: { stage: null, removal: null } },
    trust,
  );
  return { accepted, refused: refused.map(({ register, code }) => [register, code]) };
};

describe('a peer that tells something else than the statement that it passes on', () => {
  it('is believed as long as it passes on what was signed, or as its server does not sign', () => {
    expect(refusedOf(facts, [proof])).toEqual({ accepted: facts, refused: [] });
    expect(refusedOf({ ...facts, uploadedBy: 'mallory' }, [])).toMatchObject({ refused: [] });
  });

  it('has altered the actor: nothing is accepted', () => {
    const altered = { ...facts, uploadedBy: 'mallory' };
    expect(refusedOf(altered, [proof])).toEqual({ accepted: null, refused: [['publication', 'UNSIGNED']] });
  });

  it('has altered the stage: the signed one is accepted', () => {
    const altered: PackageFacts = { ...facts, stage: 'Dev' };
    expect(refusedOf(altered, [proof])).toEqual({ accepted: facts, refused: [['stage', 'UNSIGNED']] });
  });

  it('has altered a later change of the stage, or the removal', () => {
    const { packageId, filename, sha256 } = facts;
    const about = { packageId, filename, sha256, serverId: PEER, serverName: 'Berlin', actor: 'admin' };
    const staged = signFact({ kind: 'stage', ...about, stage: 'Test', stamp: stamp(3) }, berlin);
    const altered: PackageFacts = { ...facts, stage: 'Dev', stageStamp: stamp(3) };
    expect(refusedOf(altered, [proof, staged]).refused).toEqual([['stage', 'UNSIGNED']]);
    const removed = signFact({ kind: 'removal', ...about, filename: 'b.pkg', stamp: stamp(4) }, berlin);
    expect(refusedOf({ ...facts, removal: stamp(4) }, [proof, removed]).refused).toEqual([['removal', 'UNSIGNED']]);
  });
});
