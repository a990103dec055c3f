import { describe, expect, it } from 'vitest';
import { nearestNames, requireKnownNames } from './known-names.js';

const known = ['PackagePublished', 'PackageRemoved', 'PackageStageChanged', 'SignInRefused', 'PeerRegistered'];

describe('names that select something', () => {
  it.each([
    ['PackageStageChange', 'PackageStageChanged'],
    ['packagestagechanged', 'PackageStageChanged'],
    ['PackagePublish', 'PackagePublished'],
    ['SignInRefusd', 'SignInRefused'],
    ['PeerRegistred', 'PeerRegistered'],
  ])('%s is nearest to %s', (name, nearest) => {
    expect(nearestNames(name, known)[0]).toBe(nearest);
    expect(() => requireKnownNames('kinds', ['PackageRemoved', name], known)).toThrow(nearest);
  });

  it('are accepted when all exist', () => {
    expect(() => requireKnownNames('kinds', known, known)).not.toThrow();
    expect(() => requireKnownNames('kinds', [], known)).not.toThrow();
  });

  it('are refused with an answer of bounded length', () => {
    const refuse = () => requireKnownNames('kinds', ['x'.repeat(4_000)], known);
    expect(refuse).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
    expect(refuse).toThrow(/^.{0,300}$/s);
  });
});
