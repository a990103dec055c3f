import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { specOf } from '../../../../test/support/given-when-then.js';
import { ALL_RIGHTS, coversFilename, matchesPattern, type RightsChange } from '../contracts/peer-rights.js';
import { invitation } from '../registration/invitation.decider.js';
import { peer, type PeerCommand } from './peer.decider.js';

const { given } = specOf(peer);
const contact = {
  peerId: 'p1',
  name: 'Berlin',
  url: 'https://berlin.example',
  publicKey: 'key1',
  invitationId: 'i1',
  ourPublicKey: 'ours',
};
const LIMITED = { publishUpTo: 'Dev', filenames: ['dev-*'], mayTakeOver: false, mayChangeOthers: false } as const;
const registered = { type: 'PeerRegistered', data: contact } as const;
const withLimits = { type: 'PeerRegistered', data: { ...contact, rights: LIMITED } } as const;
const unregistered = { type: 'PeerUnregistered', data: { peerId: 'p1', name: 'Berlin' } } as const;
const setRights = (to: RightsChange): PeerCommand => ({ type: 'setRights', to });
const changed = (rights: object) =>
  ({ type: 'PeerRightsChanged', data: { peerId: 'p1', name: 'Berlin', ...ALL_RIGHTS, ...rights } }) as const;
const register = (rights: RightsChange | null, invitationId = 'i1'): PeerCommand => ({
  type: 'register',
  as: { ...contact, invitationId },
  rights,
});
const again = { ...contact, invitationId: 'i2' };

describe('the rights of a peer', () => {
  it('are changed, each by itself', () => {
    given(registered)
      .when(setRights({ publishUpTo: 'Test' }))
      .gives(changed({ publishUpTo: 'Test' }));
    given(registered, changed({ publishUpTo: 'Test' }))
      .when(setRights({ filenames: ['a*', 'b?.pkg', 'a*'], mayTakeOver: false }))
      .gives(changed({ publishUpTo: 'Test', filenames: ['a*', 'b?.pkg'], mayTakeOver: false }));
    given(withLimits)
      .when(setRights({ mayChangeOthers: true }))
      .gives(changed({ ...LIMITED, mayChangeOthers: true }));
    given(withLimits)
      .when(setRights({ filenames: [] }))
      .gives(changed({ ...LIMITED, filenames: [] }));
  });

  it('are not changed to what they are', () => {
    given(registered).when(setRights({})).gives();
    given(registered).when(setRights(ALL_RIGHTS)).gives();
    given(withLimits)
      .when(setRights({ publishUpTo: 'Dev', filenames: ['dev-*'] }))
      .gives();
  });

  it.each<[string, readonly string[]]>([
    ['no pattern', ['']],
    ['a path', ['a/*.pkg']],
    ['a path of Windows', ['a\\*.pkg']],
    ['NUL', ['a\0*']],
    ['a control character', ['a\n*']],
    ['letters that turn the direction', ['a\u202e*']],
    ['white space at its end', ['a* ']],
    ['too many bytes', ['ä'.repeat(128)]],
    ['too many patterns', Array.from({ length: 101 }, (_, i) => `${i}*`)],
  ])('are refused with %s', (_, filenames) => {
    given(registered).when(setRights({ filenames })).refuses('INVALID_REQUEST');
    given().when(register({ filenames })).refuses('INVALID_REQUEST');
  });

  it('compare filenames in one normal form', () => {
    given(registered)
      .when(setRights({ filenames: ['u\u0308*'] }))
      .gives(changed({ filenames: ['ü*'] }));
  });

  it('are only those of a registered peer', () => {
    given()
      .when(setRights({ publishUpTo: 'Dev' }))
      .refuses('PEER_NOT_FOUND');
    given(registered, unregistered)
      .when(setRights({ publishUpTo: 'Dev' }))
      .refuses('PEER_NOT_FOUND');
  });
});

describe('a peer that registers', () => {
  it('has its rights from its first moment on', () => {
    given().when(register(LIMITED)).gives(withLimits);
    given()
      .when(register({ publishUpTo: 'Test' }))
      .gives({ type: 'PeerRegistered', data: { ...contact, rights: { ...ALL_RIGHTS, publishUpTo: 'Test' } } });
  });

  it('again without rights keeps those that it has, also after it was unregistered', () => {
    const anew = { type: 'PeerRegistered', data: again } as const;
    given(withLimits).when(register(null, 'i2')).gives(anew);
    for (const events of [
      [withLimits, anew],
      [withLimits, unregistered, anew],
    ])
      given(...events)
        .when(setRights(LIMITED))
        .gives();
  });

  it('again with rights changes them', () => {
    given(registered).when(register(LIMITED, 'i2')).gives({ type: 'PeerRegistered', data: again }, changed(LIMITED));
    given(withLimits, unregistered)
      .when(register({ publishUpTo: 'Test' }, 'i2'))
      .gives({ type: 'PeerRegistered', data: { ...again, rights: { ...LIMITED, publishUpTo: 'Test' } } });
  });

  it('again with the same invitation changes nothing', () => {
    given(withLimits).when(register(ALL_RIGHTS)).gives();
  });
});

describe('an invitation', () => {
  const as = { invitationId: 'i1', secretHash: '00', expiresAt: '2026-12-01T00:00:00.000Z', forServerId: null };

  it('gives the rights that are named in it, and no others', () => {
    const rights = { publishUpTo: 'Dev', filenames: ['u\u0308*', 'ü*'] } as const;
    specOf(invitation)
      .given()
      .when({ type: 'invite', as: { ...as, rights } })
      .gives({ type: 'PeerInvited', data: { ...as, rights: { publishUpTo: 'Dev', filenames: ['ü*'] } } });
  });

  it('is refused with patterns that cannot be used', () => {
    specOf(invitation)
      .given()
      .when({ type: 'invite', as: { ...as, rights: { filenames: ['a/b'] } } })
      .refuses('INVALID_REQUEST');
  });
});

describe('a pattern of filenames', () => {
  it.each([
    ['*', '', true],
    ['*', 'Chrome.pkg', true],
    ['Chrome.pkg', 'Chrome.pkg', true],
    ['chrome.pkg', 'Chrome.pkg', false],
    ['Chrome*', 'Chrome-1.2.pkg', true],
    ['Chrome*.pkg', 'Chrome.pkg', true],
    ['Chrome*.pkg', 'Chrome.pkg.zip', false],
    ['Chrome?.pkg', 'Chrome1.pkg', true],
    ['Chrome?.pkg', 'Chrome.pkg', false],
    ['?', '🎈', true],
    ['*a*b*', 'xxaxxbxx', true],
    ['*a*b*', 'xxbxxaxx', false],
    ['a*a', 'a', false],
    ['a.c', 'abc', false],
    ['[a]', 'a', false],
    ['*?', '*', true],
    ['a**b', 'ab', true],
    ['', '', true],
    ['', 'a', false],
  ])('"%s" of "%s": %s', (pattern, text, matches) => {
    expect(matchesPattern(pattern, text)).toBe(matches);
  });

  it('means the same as the regular expression', () => {
    const letters = (all: string) => fc.array(fc.constantFrom(...all), { maxLength: 8 }).map((list) => list.join(''));
    fc.assert(
      fc.property(letters('ab*?'), letters('ab'), (pattern, text) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        expect(matchesPattern(pattern, text)).toBe(expression.test(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('covers every filename when there is none', () => {
    expect(coversFilename(ALL_RIGHTS, 'a.pkg')).toBe(true);
    expect(coversFilename(LIMITED, 'dev-a.pkg')).toBe(true);
    expect(coversFilename(LIMITED, 'a.pkg')).toBe(false);
  });
});
