import { type Arbitrary, array, assert, boolean, constantFrom, pre, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STAGES, takesStage } from '../../../kernel/stage.js';
import type { PackageFacts } from '../../packages/contracts/package-facts.js';
import type { PeerCopy, ReplicaEvent } from '../contracts/replica.events.js';
import type { ReplicaCommand } from './replica.commands.js';
import { replica } from './replica.decider.js';
import type { ReplicaState } from './replica.state.js';
import {
  fileQuestion,
  type FoundFile,
  type PeerReport,
  type ReviewFacts,
  reviewReplica,
} from './review-replica.decider.js';

const packageId = 'p1';
const content = { packageId, filename: 'Foo.pkg', size: 1_000, sha256: 'aa', chunkCount: 1 };
const facts: PackageFacts = {
  ...content,
  sha1: 'bb',
  chunkSize: 1_048_576,
  stage: 'Test',
  stageStamp: '1',
  publication: '2',
  removal: null,
  firstPublishedAt: '2026-01-01T00:00:00Z',
  origin: { serverId: 's1', name: 'Server 1' },
  uploadedBy: 'anna',
};
const known: ReviewFacts = {
  facts,
  ownStage: 'Test',
  isUploaded: false,
  wasRemoved: false,
  isRequestedBeforeRemoval: false,
};
const removed: ReviewFacts = { ...known, facts: { ...facts, removal: '3' }, wasRemoved: true };
const republished: ReviewFacts = { ...known, facts: { ...facts, publication: '4', removal: '3' }, wasRemoved: true };
const outOfReach: ReviewFacts = { ...known, facts: { ...facts, stage: 'Dev' }, ownStage: 'Prod' };

const whole: PeerCopy = { verifiedAt: '2026-01-02T00:00:00Z', lineage: [] };
const peer = { peerId: 'a', peerName: 'Server A' };
const hasCopy: PeerReport = { ...peer, copy: whole, isOutdated: false };
const hasNone: PeerReport = { ...peer, copy: null, isOutdated: false };

const requested: ReplicaEvent = {
  type: 'ReplicaRequested',
  data: { ...content, fromPeerId: 'a', retry: false, keepsChunks: false },
};
const published: ReplicaEvent = { type: 'ReplicaPublished', data: content };
const damaged: ReplicaEvent = {
  type: 'ReplicaDamaged',
  data: { ...content, fromPeerId: null, runs: [{ first: 0, count: 1 }], missing: false },
};
const failed: ReplicaEvent = { type: 'ReplicaFailed', data: { ...content, code: 'CHUNK_REJECTED', reason: 'why' } };
const withdrawn: ReplicaEvent = { type: 'ReplicaWithdrawn', data: { ...content, reason: 'stage' } };
const reported: ReplicaEvent = { type: 'ReplicaReported', data: { packageId, ...peer, ...whole } };

/** Given what is known and these events of our copy, when it is reviewed, then these steps. */
const given = (review: ReviewFacts, ...events: readonly ReplicaEvent[]) => {
  const state = events.reduce(replica.evolve, replica.initial);
  return {
    asks: () => fileQuestion(review, state),
    when: (report: PeerReport | null, file: FoundFile = 'unseen') =>
      reviewReplica(review, state, report, file).map(({ command, files }) => [command?.kind ?? null, files]),
  };
};

describe('a copy that this server wants', () => {
  it('is requested from the peer that reports one, in one step with the report', () => {
    expect(given(known).when(hasCopy)).toEqual([['announce', 'keep']]);
  });

  it('is requested from a peer that is known to have one', () => {
    expect(given(known, reported).when(null)).toEqual([['request', 'keep']]);
  });

  it('waits while no peer has one', () => {
    expect(given(known).when(null)).toEqual([]);
    expect(given(known, reported).when(hasNone)).toEqual([['report', 'keep']]);
  });

  it('is adopted when the whole file of a withdrawn copy is still there, and fetched again when it is not', () => {
    const review = given(known, reported, requested, published, withdrawn);
    expect(review.asks()).toBe('digest');
    expect(review.when(null, 'whole')).toEqual([
      ['adopt', 'discardFetched'],
      ['request', 'keep'],
    ]);
    for (const file of ['missing', 'different'] as const)
      expect(review.when(null, file)).toEqual([['request', 'keep']]);
  });

  it('ends with an upload here while it is on its way, and after it has failed', () => {
    for (const event of [requested, failed]) {
      const review = given({ ...known, isUploaded: true }, requested, event);
      expect(review.when(hasCopy)).toEqual([
        ['report', 'keep'],
        ['arrive', 'discardFetched'],
      ]);
    }
    expect(given({ ...known, isUploaded: true }, requested, published).when(null)).toEqual([]);
  });

  it('is repaired while the damaged file still counts as uploaded, and ends with a whole file', () => {
    const review = given({ ...known, isUploaded: true }, damaged);
    expect(review.asks()).toBe('digest');
    for (const file of ['missing', 'different', 'unseen'] as const) expect(review.when(null, file)).toEqual([]);
    expect(review.when(null, 'whole')).toEqual([['arrive', 'discardFetched']]);
    expect(given({ ...known, isUploaded: true }, damaged, published, requested).asks()).toBe('none');
  });

  it('is requested anew when a removal came between its request and a later publication', () => {
    const review = given({ ...republished, isRequestedBeforeRemoval: true }, reported, requested);
    expect(review.asks()).toBe('digest');
    expect(review.when(null, 'missing')).toEqual([
      ['withdraw', 'discardFetched'],
      ['request', 'keep'],
    ]);
  });

  it('is requested anew when its file was deleted by the removal, and stays when the file is there', () => {
    const review = given(republished, reported, requested, published);
    expect(review.asks()).toBe('presence');
    expect(review.when(null, 'present')).toEqual([['request', 'keep']]);
    expect(review.when(null, 'missing')).toEqual([
      ['withdraw', 'discardFetched'],
      ['request', 'keep'],
    ]);
  });
});

describe('a copy that this server must not have', () => {
  it('is withdrawn with its file after a removal', () => {
    expect(given(removed, requested, published).when(null)).toEqual([['withdraw', 'removeAll']]);
  });

  it('is withdrawn because of the stage, and its file stays for the grace time', () => {
    expect(given(outOfReach, requested, published).when(null)).toEqual([['withdraw', 'discardFetched']]);
  });

  it('is not requested, and the report of a peer is recorded', () => {
    expect(given(outOfReach).when(hasCopy)).toEqual([['report', 'keep']]);
  });

  it('stays when its bytes were uploaded here, unless it is on its way from elsewhere', () => {
    const uploaded = { ...outOfReach, isUploaded: true };
    expect(given(uploaded, requested, published).when(null)).toEqual([]);
    expect(given(uploaded, requested).when(null)).toEqual([['withdraw', 'discardFetched']]);
  });

  it('leaves no file of a removed upload, when a publication for other stages followed', () => {
    const leftOver = {
      ...republished,
      facts: { ...republished.facts, stage: 'Dev' as const },
      ownStage: 'Prod' as const,
    };
    const review = given(leftOver);
    expect(review.asks()).toBe('presence');
    expect(review.when(null, 'present')).toEqual([[null, 'removeAll']]);
    expect(review.when(null, 'missing')).toEqual([]);
  });
});

it('tells a peer again what it lacks, before anything else', () => {
  const report = { ...hasCopy, isOutdated: true };
  expect(given(known).when(report)).toEqual([
    ['outdated', 'keep'],
    ['announce', 'keep'],
  ]);
});

describe('any review', () => {
  const commands: readonly ReplicaCommand[] = [
    { kind: 'request', content, fromPeerId: 'a' },
    { kind: 'recordChunks', round: 1, from: peer, verified: [{ first: 0, count: 1 }], rejected: [] },
    { kind: 'publish' },
    { kind: 'damage', round: 1, actual: 'cc', lost: [] },
    { kind: 'withdraw', reason: 'stage' },
    { kind: 'report', packageId, holder: peer, copy: whole },
    { kind: 'report', packageId, holder: peer, copy: null },
  ];
  const scenes = record({
    ownStage: constantFrom(...STAGES),
    stage: constantFrom(...STAGES),
    removal: constantFrom(null, '1', '3'),
    isUploaded: boolean(),
    isRequestedBeforeRemoval: boolean(),
    before: array(constantFrom(...commands), { maxLength: 8 }),
    report: constantFrom(null, hasCopy, hasNone),
    file: constantFrom<FoundFile>('missing', 'whole', 'different'),
  }).map(({ stage, removal, isUploaded, isRequestedBeforeRemoval, ownStage, before, report, file }) => {
    const wasRemoved = removal !== null;
    // A removal also ends an upload.
    const isHere = isUploaded && removal !== '3';
    const review: ReviewFacts = {
      facts: { ...facts, stage, removal },
      ownStage,
      isUploaded: isHere,
      wasRemoved,
      isRequestedBeforeRemoval: wasRemoved && isRequestedBeforeRemoval,
    };
    return {
      review,
      state: before.reduce((state, command) => obey(state, command).state, replica.initial),
      report,
      file: isHere ? ('whole' as const) : file,
    };
  });
  type Scene = typeof scenes extends Arbitrary<infer S> ? S : never;

  const obey = (state: ReplicaState, command: ReplicaCommand) => {
    const events = replica.decide(command, state);
    return { events, state: events.reduce(replica.evolve, state) };
  };

  /** What a look at the file shows. */
  const look = ({ review, state, file }: Scene): FoundFile => {
    const question = fileQuestion(review, state);
    if (question === 'none') return 'unseen';
    return question === 'presence' && file !== 'missing' ? 'present' : file;
  };

  const stepsOf = (scene: Scene) => reviewReplica(scene.review, scene.state, scene.report, look(scene));

  /** The scene after the steps, and how many of them changed something. */
  function carryOut(scene: Scene): { after: Scene; changes: number } {
    let { state, file, review } = scene;
    let changes = 0;
    for (const step of stepsOf(scene)) {
      const done = step.command && obey(state, step.command);
      if (done?.events.length === 0) continue;
      if (done) state = done.state;
      if (done?.events.some(({ type }) => type === 'ReplicaRequested'))
        review = { ...review, isRequestedBeforeRemoval: false };
      if (step.files === 'removeAll') file = 'missing';
      changes += 1;
    }
    return { after: { ...scene, state, file, review }, changes };
  }

  const isWanted = ({ review }: Scene): boolean =>
    review.facts.removal !== '3' && takesStage(review.ownStage, review.facts.stage);
  const check = (holds: (scene: Scene) => void): void => assert(property(scenes, holds), { numRuns: 2_000 });

  it('changes nothing when it is repeated', () => {
    check((scene) => {
      expect(carryOut(carryOut(scene).after).changes).toBe(0);
    });
  });

  it('leaves a copy that is wanted and not uploaded under way or published, as soon as a peer has one', () => {
    check((scene) => {
      const { state } = carryOut(scene).after;
      pre(isWanted(scene) && !scene.review.isUploaded && state.holders.size > 0);
      expect(['pending', 'published', 'failed']).toContain(state.status);
    });
  });

  it('leaves no copy that is not wanted, except an upload', () => {
    check((scene) => {
      pre(!isWanted(scene) && !scene.review.isUploaded);
      expect(['none', 'withdrawn']).toContain(carryOut(scene).after.state.status);
    });
  });

  it('leaves nothing under way for an upload', () => {
    check((scene) => {
      pre(scene.review.isUploaded);
      expect(['pending', 'failed']).not.toContain(carryOut(scene).after.state.status);
    });
  });

  it('never removes the file of an upload, or of a copy that is wanted', () => {
    check((scene) => {
      pre(isWanted(scene) || scene.review.isUploaded);
      expect(stepsOf(scene).filter(({ files }) => files === 'removeAll')).toEqual([]);
    });
  });
});
