import { describe, expect, it } from 'vitest';
import { UNPROTECTED, type DownloadProtection } from './contracts/download.events.js';
import { downloadProtection } from './download-protection.decider.js';

const basic: DownloadProtection = { mode: 'BASIC', username: 'munki', credentialId: 'c1', networks: [] };
const protect = (to: Partial<DownloadProtection>, state = UNPROTECTED) =>
  downloadProtection.decide({ type: 'protect', to: { ...UNPROTECTED, ...to } }, state);
const refusal = expect.objectContaining({ code: 'INVALID_REQUEST' });

describe('the protection of downloads', () => {
  it('is none at first', () =>
    expect(downloadProtection.initial).toEqual({ mode: 'NONE', username: null, credentialId: null, networks: [] }));

  it('changes to what is asked for, without what that does not use', () => {
    expect(protect({ ...basic, networks: ['10.0.0.0/8'] })).toEqual([
      { type: 'DownloadProtectionChanged', data: basic },
    ]);
    expect(protect({ ...basic, mode: 'SIGNED' })).toEqual([
      { type: 'DownloadProtectionChanged', data: { ...UNPROTECTED, mode: 'SIGNED' } },
    ]);
  });

  it('records nothing when nothing differs', () => {
    expect(protect({ mode: 'NONE' })).toEqual([]);
    expect(protect(basic, basic)).toEqual([]);
    expect(protect({ ...basic, credentialId: 'c2' }, basic)).toHaveLength(1);
  });

  it.each([
    ['no name', { ...basic, username: null }],
    ['a name with a colon', { ...basic, username: 'a:b' }],
    ['a name with a line break', { ...basic, username: 'a\n' }],
    ['no password', { ...basic, credentialId: null }],
    ['no networks', { mode: 'NETWORK' as const }],
  ])('refuses %s', (_, to) => expect(() => protect(to)).toThrow(refusal));
});
