import { beforeEach, describe, expect, it } from 'vitest';
import { PeerCallLimits } from './peer-call-limits.js';

const tooMany = expect.objectContaining({ code: 'TOO_MANY_REQUESTS' });
const CONTENT = '/peer/v1/packages/0199/content';
const NAT = '198.51.100.7';

let limits: PeerCallLimits;
beforeEach(() => (limits = new PeerCallLimits()));

const times = (count: number, work: (i: number) => void): void =>
  Array.from({ length: count }).forEach((_, i) => work(i));

describe('calls that are let in', () => {
  it('are not held up: a thousand servers behind one address, thousands of chunks of each', () => {
    times(1_000, (i) => {
      times(200, () => {
        limits.beforeCheck(NAT, `peer-${i}`);
        limits.admitted(NAT, `peer-${i}`, CONTENT);
      });
      limits.admitted(NAT, `peer-${i}`, '/peer/v1/feed');
    });
    times(15_000, () => limits.admitted(NAT, 'peer-0', CONTENT));
  });

  it('have a limit for each server, which another one does not feel', () => {
    expect(() => times(10_000, () => limits.admitted(NAT, 'wild', '/peer/v1/inventory'))).toThrow(tooMany);
    expect(() => times(200, () => limits.admitted(NAT, 'wild', '/peer/v1/feed'))).toThrow(tooMany);
    limits.admitted(NAT, 'good', '/peer/v1/inventory');
    limits.admitted(NAT, 'wild', CONTENT);
  });
});

describe('calls that are not', () => {
  it('hold up who makes them, at that address', () => {
    times(200, () => limits.failed(NAT, null));
    expect(() => limits.beforeCheck(NAT, null)).toThrow(tooMany);
    limits.beforeCheck('203.0.113.9', null);
  });

  it('count for a whole network of IPv6 addresses', () => {
    times(200, (i) => limits.failed(`2001:db8:1:2::${i.toString(16)}`, null));
    expect(() => limits.beforeCheck('2001:db8:1:2:ffff::1', null)).toThrow(tooMany);
    limits.beforeCheck('2001:db8:1:3::1', null);
  });

  it('do not hold up servers that are known, behind the same address', () => {
    times(200, () => limits.failed(NAT, null));
    times(200, () => limits.failed(NAT, 'suspended'));
    expect(() => limits.beforeCheck(NAT, 'suspended')).toThrow(tooMany);
    limits.beforeCheck(NAT, 'good');
  });

  it('do not hold up the very server that they claim to be, once it was let in from there', () => {
    limits.admitted(NAT, 'good', CONTENT);
    times(200, () => limits.failed(NAT, 'good'));
    limits.beforeCheck(NAT, 'good');
    expect(() => limits.beforeCheck('203.0.113.9', 'good')).not.toThrow();
  });
});

describe('registrations', () => {
  it('of a thousand servers behind one address pass, those that are refused are slowed down', () => {
    times(1_000, () => limits.beforeRegistration(NAT));
    limits = new PeerCallLimits();
    times(20, () => limits.registrationFailed(NAT));
    expect(() => limits.beforeRegistration(NAT)).toThrow(tooMany);
    limits.beforeRegistration('203.0.113.9');
  });
});
