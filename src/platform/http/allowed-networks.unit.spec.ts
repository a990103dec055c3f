import { describe, expect, it } from 'vitest';
import { AllowedNetworks } from './allowed-networks.js';

describe('networks that may download', () => {
  const networks = new AllowedNetworks(['10.1.0.0/16', '192.0.2.7', '2001:db8::/32']);

  it.each(['10.1.0.0', '10.1.255.255', '192.0.2.7', '2001:db8:1::5', '2001:DB8::1'])('include %s', (address) => {
    expect(networks.include(address)).toBe(true);
  });

  it.each(['10.2.0.0', '192.0.2.8', '2001:db9::', 'unknown', '', null])('do not include %s', (address) => {
    expect(networks.include(address)).toBe(false);
  });

  it.each(['10.0.0.0/33', '2001:db8::/129', 'localhost', '10.0.0', '10.0.0.0/8/8', '10.0.0.0/-1', '', '/8'])(
    'are not made of %j',
    (text) => {
      expect(() => new AllowedNetworks([text])).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
    },
  );
});
