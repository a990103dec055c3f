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
        limits.requireCheckAllowed(NAT, `peer-${i}`);
        limits.countCall(NAT, `peer-${i}`, CONTENT);
      });
      limits.countCall(NAT, `peer-${i}`, '/peer/v1/feed');
    });
    times(15_000, () => limits.countCall(NAT, 'peer-0', CONTENT));
  });

  it('have a limit for each server, which another one does not feel', () => {
    expect(() => times(10_000, () => limits.countCall(NAT, 'wild', '/peer/v1/inventory'))).toThrow(tooMany);
    expect(() => times(200, () => limits.countCall(NAT, 'wild', '/peer/v1/feed'))).toThrow(tooMany);
    limits.countCall(NAT, 'good', '/peer/v1/inventory');
    limits.countCall(NAT, 'wild', CONTENT);
  });
});

describe('calls that are not', () => {
  it('hold up who makes them, at that address', () => {
    times(200, () => limits.countFailure(NAT, null));
    expect(() => limits.requireCheckAllowed(NAT, null)).toThrow(tooMany);
    limits.requireCheckAllowed('203.0.113.9', null);
  });

  it('count for a whole network of IPv6 addresses', () => {
    times(200, (i) => limits.countFailure(`2001:db8:1:2::${i.toString(16)}`, null));
    expect(() => limits.requireCheckAllowed('2001:db8:1:2:ffff::1', null)).toThrow(tooMany);
    limits.requireCheckAllowed('2001:db8:1:3::1', null);
  });

  it('do not hold up servers that are known, behind the same address', () => {
    times(200, () => limits.countFailure(NAT, null));
    times(200, () => limits.countFailure(NAT, 'suspended'));
    expect(() => limits.requireCheckAllowed(NAT, 'suspended')).toThrow(tooMany);
    limits.requireCheckAllowed(NAT, 'good');
  });

  it('do not hold up the very server that they claim to be, once it was let in from there', () => {
    limits.countCall(NAT, 'good', CONTENT);
    times(200, () => limits.countFailure(NAT, 'good'));
    limits.requireCheckAllowed(NAT, 'good');
    expect(() => limits.requireCheckAllowed('203.0.113.9', 'good')).not.toThrow();
  });
});

describe('registrations', () => {
  it('of a thousand servers behind one address pass, those that are refused are slowed down', () => {
    times(1_000, () => limits.requireRegistrationAllowed(NAT));
    limits = new PeerCallLimits();
    times(20, () => limits.countFailedRegistration(NAT));
    expect(() => limits.requireRegistrationAllowed(NAT)).toThrow(tooMany);
    limits.requireRegistrationAllowed('203.0.113.9');
  });
});
