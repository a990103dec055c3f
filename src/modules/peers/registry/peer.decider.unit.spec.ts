import { describe, it } from 'vitest';
import { specOf } from '../../../../test/support/given-when-then.js';
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
const registered = { type: 'PeerRegistered', data: contact } as const;
const named = { peerId: 'p1', name: 'Berlin' };
const suspended = { type: 'PeerSuspended', data: named } as const;
const resumed = { type: 'PeerResumed', data: named } as const;
const unregistered = { type: 'PeerUnregistered', data: named } as const;
const register = (change: object = {}): PeerCommand => ({ type: 'register', as: { ...contact, ...change } });

describe('a peer registers', () => {
  it('with an invitation', () => {
    given().when(register()).gives(registered);
  });

  it('again with the same invitation to no effect', () => {
    given(registered).when(register()).gives();
    given(registered)
      .when(register({ url: 'https://elsewhere.example' }))
      .gives();
  });

  it('again with a new invitation, as it is now', () => {
    const now = { ...contact, invitationId: 'i2', publicKey: 'key2' };
    given(registered).when(register(now)).gives({ type: 'PeerRegistered', data: now });
  });

  it('not with an invitation from before it was unregistered', () => {
    given(registered, unregistered).when(register()).refuses('INVALID_INVITATION');
    const again = { type: 'PeerRegistered', data: { ...contact, invitationId: 'i2' } } as const;
    given(registered, unregistered, again, unregistered).when(register()).refuses('INVALID_INVITATION');
  });

  it('not with a used invitation and another key', () => {
    given(registered)
      .when(register({ publicKey: 'key2' }))
      .refuses('INVALID_INVITATION');
  });

  it('not while it is suspended', () => {
    given(registered, suspended)
      .when(register({ invitationId: 'i2' }))
      .refuses('PEER_SUSPENDED');
  });

  it.each(['ftp://berlin.example', 'https://u:p@berlin.example', 'https://berlin.example/../x', 'berlin', ''])(
    'not under the address "%s"',
    (url) => given().when(register({ url })).refuses('INVALID_REQUEST'),
  );

  it('not without a name', () => {
    given()
      .when(register({ name: ' ' }))
      .refuses('INVALID_REQUEST');
  });
});

describe('a registered peer', () => {
  it('is suspended and resumed, each once', () => {
    given(registered).when({ type: 'suspend' }).gives(suspended);
    given(registered, suspended).when({ type: 'suspend' }).gives();
    given(registered, suspended).when({ type: 'resume' }).gives(resumed);
    given(registered).when({ type: 'resume' }).gives();
  });

  it('gets another name or address', () => {
    const changed = { type: 'PeerSettingsChanged', data: { peerId: 'p1', name: 'Hamburg', url: contact.url } } as const;
    given(registered)
      .when({ type: 'update', to: { name: 'Hamburg' } })
      .gives(changed);
    given(registered, changed)
      .when({ type: 'update', to: { name: 'Hamburg' } })
      .gives();
    given(registered)
      .when({ type: 'update', to: { url: 'nowhere' } })
      .refuses('INVALID_REQUEST');
  });

  it('is unregistered', () => {
    given(registered).when({ type: 'unregister' }).gives(unregistered);
    given(registered, suspended).when({ type: 'unregister' }).gives(unregistered);
  });

  it.each(['suspend', 'resume', 'unregister'] as const)('can %s only while it is there', (type) => {
    given().when({ type }).refuses('PEER_NOT_FOUND');
    given(registered, unregistered).when({ type }).refuses('PEER_NOT_FOUND');
  });
});

describe('the keys', () => {
  const rotated = {
    type: 'PeerKeyRotated',
    data: { ...named, publicKey: 'key2', previousPublicKey: 'key1', rotation: 4, successions: [] },
  } as const;
  const acknowledged = { type: 'PeerKeyAcknowledged', data: { ...named, publicKey: 'ours2' } } as const;

  it('of a peer change once', () => {
    given(registered).when({ type: 'rotateKey', publicKey: 'key2', rotation: 4 }).gives(rotated);
    given(registered, rotated).when({ type: 'rotateKey', publicKey: 'key2', rotation: 4 }).gives();
    given(registered, rotated).when({ type: 'rotateKey', publicKey: 'late', rotation: 3 }).gives();
    given(registered).when({ type: 'rotateKey', publicKey: 'key1', rotation: 4 }).gives();
  });

  it('of ours are acknowledged once', () => {
    given(registered).when({ type: 'acknowledgeKey', publicKey: 'ours' }).gives();
    given(registered).when({ type: 'acknowledgeKey', publicKey: 'ours2' }).gives(acknowledged);
    given(registered, acknowledged).when({ type: 'acknowledgeKey', publicKey: 'ours2' }).gives();
  });

  it('and its new address is taken over once', () => {
    const move = { type: 'move', url: 'https://new.example' } as const;
    const data = { ...named, url: 'https://new.example', previousUrl: 'https://berlin.example' };
    const moved = { type: 'PeerMoved', data } as const;
    given(registered).when(move).gives(moved);
    given(registered, moved).when(move).gives();
    given(registered).when({ type: 'move', url: 'ftp://new.example' }).refuses('INVALID_REQUEST');
    given(registered, unregistered).when(move).refuses('PEER_NOT_FOUND');
  });

  it('are nothing to a server that was unregistered', () => {
    given(registered, unregistered)
      .when({ type: 'rotateKey', publicKey: 'key2', rotation: 4 })
      .refuses('PEER_NOT_FOUND');
  });
});
