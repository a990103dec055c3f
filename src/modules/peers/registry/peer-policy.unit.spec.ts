import { describe, it } from 'vitest';
import { specOf } from '../../../../test/support/given-when-then.js';
import { OPEN_POLICY, type PeerPolicy } from '../../../kernel/transfer-policy.js';
import { peer, type PeerUpdate } from './peer.decider.js';

const { given } = specOf(peer);
const contact = {
  peerId: 'p1',
  name: 'Berlin',
  url: 'https://berlin.example',
  publicKey: 'key1',
  invitationId: 'i1',
  ourPublicKey: null,
};
const registered = { type: 'PeerRegistered', data: contact } as const;
const unregistered = { type: 'PeerUnregistered', data: { peerId: 'p1', name: 'Berlin' } } as const;
const changed = (to: Partial<PeerPolicy>, name = 'Berlin') =>
  ({ type: 'PeerPolicyChanged', data: { peerId: 'p1', name, ...OPEN_POLICY, ...to } }) as const;
const update = (to: PeerUpdate) => ({ type: 'update', to }) as const;
const night = { days: ['MON', 'SAT'], from: '22:00', to: '06:00' } as const;
const slow = { bytesPerSecond: 65_536, windows: [night] } as const;

describe('the policy for a peer', () => {
  it('is open at first, and a direction is chosen', () => {
    given(registered)
      .when(update({ direction: 'SEND_RECEIVE' }))
      .gives();
    given(registered)
      .when(update({ direction: 'SEND_ONLY' }))
      .gives(changed({ direction: 'SEND_ONLY' }));
  });

  it('keeps what is left out', () => {
    given(registered, changed({ send: slow }))
      .when(update({ direction: 'SEND_ONLY', receive: { bytesPerSecond: 16_384 } }))
      .gives(changed({ direction: 'SEND_ONLY', send: slow, receive: { bytesPerSecond: 16_384, windows: [] } }));
    given(registered, changed({ send: slow }))
      .when(update({ send: { bytesPerSecond: 99_999 } }))
      .gives(changed({ send: { ...slow, bytesPerSecond: 99_999 } }));
  });

  it('loses a limit by null and windows by an empty list', () => {
    given(registered, changed({ send: slow }))
      .when(update({ send: { bytesPerSecond: null } }))
      .gives(changed({ send: { bytesPerSecond: null, windows: [night] } }));
    given(registered, changed({ send: slow }))
      .when(update({ send: { windows: [] } }))
      .gives(changed({ send: { bytesPerSecond: 65_536, windows: [] } }));
  });

  it('is changed together with the name, and only when it changes', () => {
    const renamed = { type: 'PeerSettingsChanged', data: { peerId: 'p1', name: 'Hamburg', url: contact.url } } as const;
    given(registered)
      .when(update({ name: 'Hamburg', send: slow }))
      .gives(renamed, changed({ send: slow }, 'Hamburg'));
    given(registered, changed({ send: slow }))
      .when(update({ send: { windows: [{ ...night, days: ['SAT', 'MON', 'SAT'] }] } }))
      .gives();
  });

  it('stays when the peer registers anew, and ends when it is unregistered', () => {
    const again = { type: 'PeerRegistered', data: { ...contact, invitationId: 'i2', publicKey: 'key2' } } as const;
    given(registered, changed({ send: slow }), again)
      .when(update({ send: slow }))
      .gives();
    given(registered, changed({ send: slow }), unregistered, again)
      .when(update({ send: slow }))
      .gives(changed({ send: slow }));
  });

  it.each([0, 16_383, 1.5, Number.NaN, Infinity])('has no limit of %d bytes per second', (bytesPerSecond) => {
    given(registered)
      .when(update({ receive: { bytesPerSecond } }))
      .refuses('INVALID_REQUEST');
  });

  it.each([
    { from: '10:00', to: '10:00' },
    { from: '24:00', to: '10:00' },
    { from: '9:00', to: '10:00' },
    { from: '09:00', to: '24:30' },
    { from: '09:00', to: '10:00', days: [] },
  ])('has no window %j', (wrong) => {
    given(registered)
      .when(update({ send: { windows: [{ ...night, ...wrong }] } }))
      .refuses('INVALID_REQUEST');
  });

  it('has 50 windows at most', () => {
    const windows = (count: number) => Array.from({ length: count }, () => night);
    given(registered)
      .when(update({ send: { windows: windows(51) } }))
      .refuses('INVALID_REQUEST');
    given(registered)
      .when(update({ send: { windows: windows(50) } }))
      .gives(changed({ send: { bytesPerSecond: null, windows: windows(50) } }));
  });
});
