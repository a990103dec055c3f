import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { specOf } from '../../../../test/support/given-when-then.js';
import type { ChunkPage, PackageEvent } from '../contracts/package.events.js';
import { foldFacts, isRemoved, type PackageFacts } from '../contracts/package-facts.js';
import { packageAggregate, type Publication } from './package.decider.js';

const { given } = specOf(packageAggregate);

const stamp = (n: number, server = 'a'): string => `${n.toString(16).padStart(12, '0')}-0000-${server}`;
const page = (first: number, count: number): ChunkPage => ({
  first,
  count,
  sha1: Buffer.alloc(count * 20, first).toString('base64'),
  sha256: Buffer.alloc(count * 32, first).toString('base64'),
});
const publication: Publication = {
  packageId: 'p1',
  filename: 'a.pkg',
  size: 3_000_000,
  sha1: '00',
  sha256: '11',
  chunkSize: 1_048_576,
  chunkCount: 3,
  stage: 'Prod',
  stageStamp: stamp(10),
  publication: stamp(10),
  firstPublishedAt: '2026-01-01T00:00:00Z',
  origin: { serverId: 'a', name: 'A' },
  uploadedBy: 'admin',
};
const facts: PackageFacts = { ...publication, removal: null };
const chunks = (...pages: ChunkPage[]): PackageEvent[] =>
  pages.map((page) => ({ type: 'PackageChunksHashed', data: { packageId: 'p1', ...page } }));
const published = (change: Partial<Publication> = {}): PackageEvent => ({
  type: 'PackagePublished',
  data: { ...publication, ...change, source: { kind: 'local' }, proofs: [] },
});
const learned = (change: Partial<Publication> = {}): PackageEvent => ({
  type: 'PackagePublished',
  data: { ...publication, ...change, source: { kind: 'peer', peerId: 'b' }, proofs: [] },
});
const removed = (at: string): PackageEvent => ({
  type: 'PackageRemoved',
  data: { packageId: 'p1', filename: 'a.pkg', stamp: at, source: { kind: 'local' }, proof: null },
});
const learnCommand = (change: Partial<PackageFacts> = {}, pages: ChunkPage[] = []) =>
  ({ type: 'learn', facts: { ...facts, ...change }, pages, peerId: 'b' }) as const;

describe('a package whose filename another one takes over', () => {
  const by = { packageId: 'p2', publication: stamp(20) };
  const superseded: PackageEvent = { type: 'PackageSuperseded', data: { packageId: 'p1', filename: 'a.pkg', by } };
  const supersede = { type: 'supersede', by } as const;

  it('says so once for each publication that takes over', () => {
    given(published()).when(supersede).gives(superseded);
    given(published(), superseded).when(supersede).gives();
    const later = { ...by, publication: stamp(30) };
    given(published(), superseded)
      .when({ ...supersede, by: later })
      .gives({ ...superseded, data: { ...superseded.data, by: later } } as PackageEvent);
  });

  it('does not when it was published later, was removed, or is not known', () => {
    given(published({ publication: stamp(21) }))
      .when(supersede)
      .gives();
    given(published(), removed(stamp(12)))
      .when(supersede)
      .gives();
    given().when(supersede).gives();
  });
});

describe('publishing', () => {
  it('records the last chunk digests and the package together', () => {
    given(...chunks(page(0, 2)))
      .when({ type: 'publish', publication, pages: [page(2, 1)] })
      .gives(...chunks(page(2, 1)), published());
  });

  it('refuses a stamp from before a removal that is on record: the file may have been deleted', () => {
    given(...chunks(page(0, 3)), published(), removed(stamp(12)))
      .when({ type: 'publish', publication: { ...publication, publication: stamp(11) }, pages: [] })
      .refuses('UNAVAILABLE');
  });

  it('again needs no digests, and sets the registers anew', () => {
    const again = { ...publication, publication: stamp(20), stageStamp: stamp(20) };
    given(...chunks(page(0, 3)), published())
      .when({ type: 'publish', publication: again, pages: [] })
      .gives(published(again));
  });

  it('of a package that is there changes its stage by an event of its own, and lowers it only when it may', () => {
    const again = { ...publication, publication: stamp(20) };
    const scene = given(...chunks(page(0, 3)), published());
    const to = (stage: 'Prod' | 'Test', mayLower: boolean) =>
      scene.when({
        type: 'publish',
        publication: again,
        pages: [],
        stageChange: { stage, stamp: stamp(21), mayLower },
      });
    to('Prod', true).gives(published(again));
    to('Test', false).gives(published(again));
    to('Test', true).gives(published(again), {
      type: 'PackageStageChanged',
      data: {
        packageId: 'p1',
        filename: 'a.pkg',
        from: 'Prod',
        to: 'Test',
        stamp: stamp(21),
        source: { kind: 'local' },
        proof: null,
      },
    });
  });

  it('may replace the digests that a peer told', () => {
    given(...chunks(page(0, 3)), learned())
      .when({ type: 'publish', publication, pages: [page(0, 3)] })
      .gives(...chunks(page(0, 3)), published());
  });

  it('is refused while digests are missing or malformed', () => {
    const fresh = given();
    fresh.when({ type: 'publish', publication, pages: [page(0, 2)] }).refuses('INVALID_REQUEST');
    fresh.when({ type: 'publish', publication, pages: [page(1, 2)] }).refuses('INVALID_REQUEST');
    const short = { ...page(0, 3), sha1: page(0, 2).sha1 };
    fresh.when({ type: 'publish', publication, pages: [short] }).refuses('INVALID_REQUEST');
  });

  it('vouches for the digests from our own upload on', () => {
    const fold = (events: PackageEvent[]) => events.reduce(packageAggregate.evolve, packageAggregate.initial);
    expect(fold([...chunks(page(0, 3)), learned()]).vouched).toBe(false);
    expect(fold([...chunks(page(0, 3)), learned(), published()]).vouched).toBe(true);
  });
});

describe('stage and removal', () => {
  const known = given(...chunks(page(0, 3)), published());

  it('changes the stage', () => {
    known.when({ type: 'setStage', stage: 'Dev', stamp: stamp(11) }).gives({
      type: 'PackageStageChanged',
      data: {
        packageId: 'p1',
        filename: 'a.pkg',
        from: 'Prod',
        to: 'Dev',
        stamp: stamp(11),
        source: { kind: 'local' },
        proof: null,
      },
    });
  });

  it('does nothing for the stage it has', () => {
    known.when({ type: 'setStage', stage: 'Prod', stamp: stamp(11) }).gives();
  });

  it('removes once', () => {
    known.when({ type: 'remove', stamp: stamp(11) }).gives(removed(stamp(11)));
    given(published(), removed(stamp(11)))
      .when({ type: 'remove', stamp: stamp(12) })
      .refuses('PACKAGE_NOT_FOUND');
  });

  it('knows nothing of packages that were never published', () => {
    given(...chunks(page(0, 3)))
      .when({ type: 'setStage', stage: 'Dev', stamp: stamp(1) })
      .refuses('PACKAGE_NOT_FOUND');
    given()
      .when({ type: 'remove', stamp: stamp(1) })
      .refuses('PACKAGE_NOT_FOUND');
  });
});

describe('learning from a peer', () => {
  const known = given(...chunks(page(0, 3)), published());

  it('takes in a new package with all its digests', () => {
    given()
      .when(learnCommand({}, [page(0, 3)]))
      .gives(...chunks(page(0, 3)), learned());
    given().when(learnCommand()).refuses('INVALID_REQUEST');
  });

  it('changes nothing with old news', () => {
    known.when(learnCommand()).gives();
    known.when(learnCommand({ publication: stamp(5), stage: 'Dev', stageStamp: stamp(5) })).gives();
  });

  it('takes the later stage and removal', () => {
    const source = { kind: 'peer', peerId: 'b' } as const;
    const names = { packageId: 'p1', filename: 'a.pkg' };
    known.when(learnCommand({ stage: 'Test', stageStamp: stamp(11), removal: stamp(12) })).gives(
      {
        type: 'PackageStageChanged',
        data: { ...names, from: 'Prod', to: 'Test', stamp: stamp(11), source, by: null, proof: null },
      },
      { type: 'PackageRemoved', data: { ...names, stamp: stamp(12), source, by: null, proof: null } },
    );
  });

  it('keeps who made a change, as far as the peer tells', () => {
    const paula = { serverId: 'b', serverName: 'Munich', actor: 'paula' };
    const told = {
      ...learnCommand({ stage: 'Test', stageStamp: stamp(11), removal: stamp(12) }),
      authors: { stage: paula, removal: null },
    };
    expect(known.when(told).events()).toMatchObject([{ data: { by: paula } }, { data: { by: null } }]);
  });

  it('is refused when the content differs', () => {
    known.when(learnCommand({ size: 1 })).refuses('PACKAGE_CONFLICT');
  });

  const at = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom('a', 'b', 'c'));
  const stageOf = (mark: string) => (['Dev', 'Test', 'Prod'] as const)[(mark.codePointAt(11) ?? 0) % 3] ?? 'Dev';
  const someFacts = fc
    .record({ publication: at, stageStamp: at, removal: fc.option(at), second: fc.integer({ min: 10, max: 59 }) })
    .map(({ publication, stageStamp, removal, second }): PackageFacts => {
      const [at1, at2] = [stamp(...publication), stamp(...stageStamp)];
      const origin = { serverId: publication[1], name: publication[1] };
      const firstPublishedAt = `2026-01-01T00:00:${second}Z`;
      return {
        ...facts,
        publication: at1,
        stage: stageOf(at2),
        stageStamp: at2,
        origin,
        uploadedBy: at1,
        firstPublishedAt,
        removal: removal && stamp(...removal),
      };
    });
  const merge = (all: readonly PackageFacts[]): PackageFacts | null => {
    let state = chunks(page(0, 3)).reduce(packageAggregate.evolve, packageAggregate.initial);
    for (const facts of all) {
      const events = packageAggregate.decide({ type: 'learn', facts, pages: [], peerId: 'b' }, state);
      state = events.reduce(packageAggregate.evolve, state);
    }
    return state.facts;
  };

  it('comes to the same in any order and with any repeats', () => {
    fc.assert(
      fc.property(fc.array(someFacts, { minLength: 1, maxLength: 6 }), fc.infiniteStream(fc.nat()), (all, dice) => {
        const shuffled = [...all, ...all].toSorted(() => (dice.next().value ?? 0) - (dice.next().value ?? 0));
        expect(merge(shuffled)).toEqual(merge(all));
      }),
    );
  });

  it('comes to the same when the merged facts are told on', () => {
    fc.assert(
      fc.property(fc.array(someFacts, { minLength: 1, maxLength: 5 }), someFacts, (all, more) => {
        const merged = merge(all);
        expect(merged && merge([more, merged])).toEqual(merge([...all, more]));
      }),
    );
  });

  it('counts a removal only until a later publication', () => {
    const gone = [published(), removed(stamp(11))].reduce(foldFacts, null);
    const back = foldFacts(gone, published({ publication: stamp(12) }));
    expect(gone && isRemoved(gone)).toBe(true);
    expect(back && isRemoved(back)).toBe(false);
  });
});

describe('damage of an uploaded file', () => {
  const damage = { type: 'damage', publication: stamp(10), damagedChunks: 2, missing: false } as const;
  const damaged: PackageEvent = {
    type: 'PackageDamaged',
    data: { packageId: 'p1', filename: 'a.pkg', chunkCount: 3, damagedChunks: 2, missing: false },
  };

  it('is recorded once, until it is uploaded again', () => {
    given(...chunks(page(0, 3)), published())
      .when(damage)
      .gives(damaged);
    given(...chunks(page(0, 3)), published(), damaged)
      .when(damage)
      .gives();
    given(...chunks(page(0, 3)), published(), damaged, published({ publication: stamp(12) }))
      .when(damage)
      .gives();
  });

  it('does not concern what was uploaded elsewhere, or was removed', () => {
    given(...chunks(page(0, 3)), learned())
      .when(damage)
      .gives();
    given(...chunks(page(0, 3)), published(), removed(stamp(11)))
      .when(damage)
      .gives();
  });
});
