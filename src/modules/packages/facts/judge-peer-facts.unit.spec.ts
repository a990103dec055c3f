import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SigningServer } from '../../../../test/support/signing-server.js';
import { verifyEd25519 } from '../../../platform/peer-calls/ed25519.js';
import type { PackageFacts } from '../contracts/package-facts.js';
import type { ChangeAuthors } from '../contracts/package-reports.js';
import { factText, type SignedFact } from '../contracts/signed-facts.js';
import { judgePeerFacts, type ProofVerdict, type Trust } from './judge-peer-facts.js';

const us = new SigningServer('us');
const berlin = new SigningServer('berlin');
const munich = new SigningServer('munich');
const known = [us, berlin];

const stamp = (n: number, server: SigningServer): string =>
  `${n.toString(16).padStart(12, '0')}-0000-${server.serverId}`;

/** A package that was published on a server, at a time. */
const publishedOn = (server: SigningServer, at: number, change: Partial<PackageFacts> = {}): PackageFacts => ({
  packageId: 'p1',
  filename: 'a.pkg',
  size: 3_000_000,
  sha1: '00',
  sha256: '11',
  chunkSize: 1_048_576,
  chunkCount: 3,
  stage: 'Prod',
  stageStamp: stamp(at, server),
  publication: stamp(at, server),
  removal: null,
  firstPublishedAt: `2026-01-01T00:00:${String(at).padStart(2, '0')}Z`,
  origin: { serverId: server.serverId, name: server.name },
  uploadedBy: 'paula',
  ...change,
});

/** Knows the keys of Berlin and its own, and nobody else's. */
function trustWith(change: Partial<Trust> = {}): Trust {
  const verdictOf = ({ statement, publicKey, signature }: SignedFact): ProofVerdict => {
    if (!verifyEd25519(publicKey, factText(statement), Buffer.from(signature, 'base64url'))) return 'forged';
    const server = known.find(({ serverId }) => serverId === statement.serverId);
    return !server ? 'key unknown' : server.publicKey === publicKey ? 'verified' : 'forged';
  };
  return { ownServerId: us.serverId, verdictOf, allowsUnsigned: () => false, ...change };
}
const strict = trustWith();
const lenient = trustWith({ allowsUnsigned: () => true });

const NOBODY: ChangeAuthors = { stage: null, removal: null };
const judge = (
  ours: PackageFacts | null,
  facts: PackageFacts,
  proofs: readonly SignedFact[],
  trust = strict,
  authors = NOBODY,
) => judgePeerFacts(ours, { facts, proofs, authors }, trust);
const codes = (judged: ReturnType<typeof judge>): string[] =>
  judged.refused.map(({ register, code }) => `${register} ${code}`);

describe('a package that is new here', () => {
  const facts = publishedOn(berlin, 10);

  it('is accepted when its server signed it, whoever tells of it', () => {
    const proof = berlin.facts.signPublication(facts);
    expect(judge(null, facts, [proof])).toMatchObject({ accepted: facts, proofs: [proof], refused: [] });
  });

  it('is accepted without a signature only where unsigned facts are', () => {
    expect(judge(null, facts, [], lenient).accepted).toEqual(facts);
    const judged = judge(null, facts, []);
    expect(judged.accepted).toBeNull();
    expect(codes(judged)).toEqual(['publication UNSIGNED', 'first UNSIGNED', 'stage UNSIGNED']);
    expect(judged.refused[0]?.claimed).toEqual({ serverId: 'berlin', serverName: 'BERLIN', actor: 'paula' });
  });

  it('of a server whose key nobody knows is what the peer says, and keeps its signature', () => {
    const far = publishedOn(munich, 10);
    const proof = munich.facts.signPublication(far);
    expect(judge(null, far, [proof], lenient)).toMatchObject({ accepted: far, proofs: [proof] });
    expect(judge(null, far, [proof]).accepted).toBeNull();
  });

  it('is refused when its content, its author or its server is another than what was signed', () => {
    const proof = berlin.facts.signPublication(facts);
    for (const change of [
      { sha1: '22' },
      { size: 1 },
      { uploadedBy: 'mallory' },
      { origin: { serverId: 'berlin', name: 'Berlin II' } },
    ])
      expect(judge(null, { ...facts, ...change }, [proof]).accepted).toBeNull();
  });

  it('keeps the stage of its publication when a later change of it is not signed', () => {
    const proof = berlin.facts.signPublication(facts);
    const promoted = { ...facts, stage: 'Dev', stageStamp: stamp(20, berlin) } as const;
    const judged = judge(null, promoted, [proof]);
    expect(judged.accepted).toEqual(facts);
    expect(codes(judged)).toEqual(['stage UNSIGNED']);
  });

  it('is refused with a signature by another server than the one of its stamp', () => {
    const stolen = { ...facts, origin: { serverId: 'munich', name: 'MUNICH' } };
    const proof = munich.facts.signPublication(stolen);
    expect(codes(judge(null, stolen, [proof], lenient))).toEqual(['publication FORGED', 'stage FORGED']);
  });
});

describe('in the name of this server', () => {
  const ours = publishedOn(us, 10);
  const signed = [us.facts.signPublication(ours)];

  it('a peer can tell nothing that this server did not sign', () => {
    const removed = { ...ours, removal: stamp(20, us) };
    const promoted = { ...ours, stage: 'Dev', stageStamp: stamp(20, us) } as const;
    const again = publishedOn(us, 20);
    for (const [told, code] of [
      [removed, 'removal IN_OUR_NAME'],
      [promoted, 'stage IN_OUR_NAME'],
      [again, 'publication IN_OUR_NAME'],
    ] as const) {
      const judged = judge(ours, told, signed, lenient);
      expect(codes(judged)).toContain(code);
      expect(judged.accepted).toMatchObject({ removal: null, stage: 'Prod', publication: ours.publication });
    }
  });

  it('not even with a signature of its own', () => {
    const removed = { ...ours, removal: stamp(20, us) };
    const proof = { ...berlin.facts.signRemoval(ours, stamp(20, us)) };
    const posing = { ...proof, statement: { ...proof.statement, serverId: 'us' } };
    expect(codes(judge(ours, removed, [posing], lenient))).toEqual(['removal IN_OUR_NAME']);
  });

  it('it can tell what this server signed, as after a backup was restored', () => {
    const told = { ...ours, removal: stamp(20, us) };
    const proof = us.facts.signRemoval(ours, stamp(20, us), 'admin');
    const judged = judge(ours, told, [...signed, proof]);
    expect(judged.refused).toEqual([]);
    expect(judged.accepted).toEqual(told);
    expect(judged.authors.removal).toEqual({ serverId: 'us', serverName: 'US', actor: 'admin' });
  });
});

describe('an unsigned claim with a stamp of a server that nobody knows', () => {
  const invented = new SigningServer('nobody');

  it('names neither this server nor another one as the publisher', () => {
    for (const [posing, code] of [
      [us, 'publication IN_OUR_NAME'],
      [berlin, 'publication FORGED'],
    ] as const) {
      const told = publishedOn(invented, 10, { origin: { serverId: posing.serverId, name: posing.name } });
      const judged = judge(null, told, [], lenient);
      expect(codes(judged)).toEqual([code]);
      expect(judged.accepted).toBeNull();
    }
  });

  it('names nobody on another server as the author of a change', () => {
    const told = publishedOn(berlin, 10, { removal: stamp(20, invented) });
    const lie = { stage: null, removal: { serverId: 'berlin', serverName: 'BERLIN', actor: 'admin' } };
    expect(judge(null, told, [], lenient, lie).authors.removal).toBeNull();
    const right = { stage: null, removal: { serverId: 'nobody', serverName: null, actor: 'admin' } };
    expect(judge(null, told, [], lenient, right).authors.removal).toEqual(right.removal);
  });
});

describe('a change of a package that is known', () => {
  const ours = publishedOn(berlin, 10);

  it('needs no signature when it is not newer than what is known', () => {
    expect(judge(ours, ours, [])).toMatchObject({ accepted: ours, refused: [] });
    const older = publishedOn(berlin, 10, { stage: 'Dev', stageStamp: stamp(5, berlin) });
    expect(judge(ours, older, []).refused).toEqual([]);
  });

  it('is accepted for each register by itself', () => {
    const told = { ...ours, stage: 'Test', stageStamp: stamp(20, berlin), removal: stamp(30, berlin) } as const;
    const stage = berlin.facts.signStage(ours, 'Test', told.stageStamp, 'paula');
    const judged = judge(ours, told, [stage]);
    expect(judged.accepted).toEqual({ ...told, removal: null });
    expect(codes(judged)).toEqual(['removal UNSIGNED']);
    expect(judged.proofs).toEqual([stage]);
  });

  it('names who signed, whatever the peer says', () => {
    const told = { ...ours, stage: 'Test', stageStamp: stamp(20, berlin) } as const;
    const stage = berlin.facts.signStage(ours, 'Test', told.stageStamp, 'paula');
    const lie = { stage: { serverId: 'berlin', serverName: 'BERLIN', actor: 'mallory' }, removal: null };
    expect(judge(ours, told, [stage], strict, lie).authors.stage?.actor).toBe('paula');
  });

  it('to a stage that was not signed is refused', () => {
    const told = { ...ours, stage: 'Dev', stageStamp: stamp(20, berlin) } as const;
    const other = berlin.facts.signStage(ours, 'Test', told.stageStamp, 'paula');
    expect(codes(judge(ours, told, [other]))).toEqual(['stage UNSIGNED']);
  });

  it('of another package is no proof for this one', () => {
    const told = { ...ours, removal: stamp(20, berlin) };
    const other = berlin.facts.signRemoval({ ...ours, packageId: 'p2' }, stamp(20, berlin), 'paula');
    expect(codes(judge(ours, told, [other]))).toEqual(['removal UNSIGNED']);
  });

  it('may bring the signatures of what is known already', () => {
    const proof = berlin.facts.signPublication(ours);
    expect(judge(ours, ours, [proof])).toMatchObject({ proofs: [proof], refused: [] });
    const forged = { ...proof, signature: Buffer.alloc(64).toString('base64url') };
    expect(judge(ours, ours, [forged])).toMatchObject({ proofs: [], refused: [] });
  });
});

describe('whatever a peer tells', () => {
  const ours = publishedOn(berlin, 10);
  const servers = [us, berlin, munich];
  const signedByBerlin = berlin.facts.signPublication(ours);
  const anyFacts = fc.record({
    publication: fc.tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom(...servers)),
    stage: fc.constantFrom('Dev' as const, 'Test' as const, 'Prod' as const),
    stageStamp: fc.tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom(...servers)),
    removal: fc.option(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom(...servers))),
    actor: fc.constantFrom('paula', 'admin', 'mallory'),
  });
  /** Mallory holds Munich's key and can sign anything with it, also in the names of others. */
  const signWithMunich = (facts: PackageFacts): SignedFact[] =>
    [
      munich.facts.signPublication(facts),
      munich.facts.signStage(facts, facts.stage, facts.stageStamp, 'mallory'),
      ...(facts.removal === null ? [] : [munich.facts.signRemoval(facts, facts.removal, 'mallory')]),
    ].map((proof) => ({ ...proof, statement: { ...proof.statement, serverId: facts.origin.serverId } }));

  it('registers of servers whose keys are known change only by their signatures', () => {
    fc.assert(
      fc.property(anyFacts, fc.boolean(), ({ publication, stage, stageStamp, removal, actor }, isSigned) => {
        const [at, server] = publication;
        const told = publishedOn(server, at, {
          stage,
          stageStamp: stamp(...stageStamp),
          removal: removal && stamp(...removal),
          uploadedBy: actor,
        });
        const proofs = isSigned ? signWithMunich(told) : [];
        const { accepted } = judge(ours, told, [signedByBerlin, ...proofs]);
        for (const register of ['publication', 'stageStamp', 'removal'] as const) {
          const value = accepted?.[register] ?? null;
          expect(value === ours[register] || value === null || value < (ours[register] ?? '')).toBe(true);
        }
      }),
    );
  });
});
