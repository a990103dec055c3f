import { describe, expect, it } from 'vitest';
import { authorityOf, type Authority } from '../../../kernel/access.js';
import { Refusal } from '../../../kernel/errors.js';
import type { Stage } from '../../../kernel/stage.js';
import type { PackageFacts } from '../contracts/package-facts.js';
import { requireMayPromote, requireMayPublish, requireMayRemove } from './publishing-limits.js';

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
