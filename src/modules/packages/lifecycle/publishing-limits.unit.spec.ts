import { describe, expect, it } from 'vitest';
import { authorityOf, type Authority } from '../../../kernel/access.js';
import { Refusal } from '../../../kernel/errors.js';
import type { Stage } from '../../../kernel/stage.js';
import type { PackageFacts } from '../contracts/package-facts.js';
import type { FilenameHolder } from '../contracts/package-queries.js';
import {
  requireMayPromote,
  requireMayPublish,
  requireMayRemove,
  requireMayReplaceByPromotion,
  requireMayTakeFilename,
} from './publishing-limits.js';

const HERE = 'here';
const ann = authorityOf('ann', ['publisher'], 'Test');
const admin = authorityOf('root', ['admin', 'publisher'], 'Dev');

const facts = (stage: Stage, uploadedBy = 'ann', serverId = HERE): PackageFacts => ({
  packageId: 'p',
  filename: 'a.pkg',
  size: 1,
  sha1: '',
  sha256: '',
  chunkSize: 1,
  chunkCount: 1,
  stage,
  stageStamp: '2',
  publication: '2',
  removal: null,
  firstPublishedAt: '',
  origin: { serverId, name: serverId },
  uploadedBy,
});

function may(act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (error instanceof Refusal && error.code === 'FORBIDDEN') return false;
    throw error;
  }
}

const promote = (who: Authority | null, from: Stage, to: Stage) =>
  may(() => requireMayPromote(who, facts(from, 'bob'), to));
const remove = (who: Authority | null, what: PackageFacts | null) => may(() => requireMayRemove(who, what, HERE));
const publish = (who: Authority | null, what: PackageFacts | null, stage: Stage) =>
  may(() => requireMayPublish(who, what, stage, HERE));

describe('a publisher up to Test', () => {
  it('moves packages of anybody between the stages up to the limit', () => {
    expect([promote(ann, 'Dev', 'Test'), promote(ann, 'Test', 'Dev')]).toEqual([true, true]);
    expect([promote(ann, 'Test', 'Prod'), promote(ann, 'Prod', 'Test')]).toEqual([false, false]);
  });

  it('removes own packages up to the limit', () => {
    expect(remove(ann, facts('Test'))).toBe(true);
    expect([
      remove(ann, facts('Prod')),
      remove(ann, facts('Dev', 'bob')),
      remove(ann, facts('Dev', 'ann', 'elsewhere')),
    ]).toEqual([false, false, false]);
  });

  it('publishes what is new, own or removed, and takes nothing over', () => {
    expect([publish(ann, null, 'Test'), publish(ann, facts('Dev'), 'Test')]).toEqual([true, true]);
    expect(publish(ann, { ...facts('Prod', 'bob'), removal: '3' }, 'Dev')).toBe(true);
    expect([
      publish(ann, null, 'Prod'),
      publish(ann, facts('Prod'), 'Dev'),
      publish(ann, facts('Dev', 'bob'), 'Dev'),
    ]).toEqual([false, false, false]);
  });
});

/** A package that has the filename, published at the time `at`. */
const holder = (stage: Stage, uploadedBy: string, at = '1', originId = HERE): FilenameHolder => ({
  packageId: `of ${uploadedBy} in ${stage}`,
  filename: 'a.pkg',
  stage,
  publication: at,
  originId,
  originName: originId,
  uploadedBy,
});
const take = (who: Authority | null, stage: Stage | null, ...holders: FilenameHolder[]) =>
  may(() => requireMayTakeFilename(who, holders, stage, HERE));

describe('other content under a filename', () => {
  it.each(['Dev', 'Test', 'Prod'] as const)('does not replace a package of somebody else in %s', (stage) => {
    for (const upTo of ['Dev', 'Test', 'Prod', null] as const) {
      expect([upTo, take(ann, upTo, holder(stage, 'bob'))]).toEqual([upTo, false]);
    }
  });

  it('replaces own packages, and what nobody has', () => {
    for (const stage of ['Dev', 'Test', 'Prod', null] as const) {
      expect(take(ann, stage)).toBe(true);
      expect(take(ann, stage, holder('Dev', 'ann', '2'), holder('Prod', 'ann', '1'))).toBe(true);
    }
  });

  it('does not replace a package of an account with the same name on another server', () =>
    expect(take(ann, 'Dev', holder('Dev', 'ann', '1', 'elsewhere'))).toBe(false));

  it('is judged for each stage of servers by the package that was published last', () => {
    const [mineInDev, theirsInProd] = [holder('Dev', 'ann', '5'), holder('Prod', 'bob', '4')];
    // Dev servers serve the package of Ann already; in Prod hers would replace the one of Bob.
    expect(take(ann, 'Dev', mineInDev, theirsInProd)).toBe(true);
    expect(take(ann, 'Test', mineInDev, theirsInProd)).toBe(false);
    expect(take(ann, 'Dev', { ...mineInDev, publication: '3' }, theirsInProd)).toBe(false);
  });

  it('may replace everything for an admin and for the server itself', () => {
    for (const who of [admin, null]) expect(take(who, 'Prod', holder('Prod', 'bob'))).toBe(true);
  });
});

describe('a promotion', () => {
  const promoted = (who: Authority | null, to: Stage, by: string, at: string, ...holders: FilenameHolder[]) =>
    may(() => requireMayReplaceByPromotion(who, { ...facts('Dev', by), publication: at }, holders, to, HERE));

  it('does not let a package replace one of another publisher', () => {
    expect(promoted(ann, 'Test', 'ann', '5', holder('Test', 'bob', '4'))).toBe(false);
    expect(promoted(ann, 'Test', 'ann', '5', holder('Prod', 'bob', '4'))).toBe(false);
    expect(promoted(ann, 'Test', 'carl', '5', holder('Prod', 'bob', '4'))).toBe(false);
  });

  it('lets a package replace one of the same publisher or of the caller', () => {
    expect(promoted(ann, 'Test', 'bob', '5', holder('Test', 'bob', '4'))).toBe(true);
    expect(promoted(ann, 'Test', 'bob', '5', holder('Test', 'ann', '4'))).toBe(true);
  });

  it('is free where it replaces nothing', () => {
    expect(promoted(ann, 'Test', 'ann', '3', holder('Test', 'bob', '4'))).toBe(true);
    expect(promoted(ann, 'Test', 'ann', '5', holder('Dev', 'bob', '4'))).toBe(true);
    expect(promoted(admin, 'Prod', 'ann', '5', holder('Prod', 'bob', '4'))).toBe(true);
    expect(promoted(null, 'Prod', 'ann', '5', holder('Prod', 'bob', '4'))).toBe(true);
  });
});

it.each([
  ['an admin', admin],
  ['the server itself', null],
])('%s has no limits', (_, who) => {
  expect([
    promote(who, 'Prod', 'Dev'),
    remove(who, facts('Prod', 'bob')),
    publish(who, facts('Prod', 'bob'), 'Prod'),
  ]).toEqual([true, true, true]);
});
