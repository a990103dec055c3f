import { describe, expect, it } from 'vitest';
import { StartupError } from '../../../kernel/errors.js';
import { parseEventStoreDbUrl } from './eventstoredb-url.js';

describe('EVENTSTOREDB_URL', () => {
  it('names one node, with TLS and port 2113 when it says nothing else', () => {
    expect(parseEventStoreDbUrl('esdb://log.example.com')).toMatchObject({
      discover: false,
      tls: true,
      hosts: [{ address: 'log.example.com', port: 2113 }],
      shown: 'log.example.com:2113',
    });
  });

  it('names a cluster by its nodes or by one that is asked for them', () => {
    const hosts = [
      { address: 'a', port: 1 },
      { address: '10.0.0.2', port: 2113 },
    ];
    expect(parseEventStoreDbUrl('esdb://a:1,10.0.0.2')).toMatchObject({
      discover: true,
      hosts,
      shown: 'a:1,10.0.0.2:2113',
    });
    expect(parseEventStoreDbUrl('esdb+discover://a:1')).toMatchObject({ discover: true, hosts: [hosts[0]] });
  });

  it('keeps a password with every character, which the client would cut at a colon', () => {
    expect(parseEventStoreDbUrl('esdb://us%40er:p:a%2Fs%40s@a').credentials).toEqual({
      username: 'us@er',
      password: 'p:a/s@s',
    });
  });

  it('takes the options that the client has, in any case', () => {
    const url =
      'esdb://a/?TLS=true&tlsCAFile=%2Fetc%2Fca+1.pem&keepAliveInterval=20000&tlsVerifyCert=true&nodePreference=Leader&gossipTimeout=3';
    expect(parseEventStoreDbUrl(url)).toMatchObject({
      tls: true,
      tlsCaFile: '/etc/ca+1.pem',
      keepAliveInterval: 20_000,
      gossipTimeout: 3,
    });
  });

  it.each([
    ['http://a', /starts with http:/],
    ['kurrentdb://a', /Write esdb instead/],
    ['kurrentdb+discover://a', /Write esdb instead/],
    ['esdb:a', /not a connection string/],
    ['esdb://', /host that cannot be read/],
    ['esdb://a,,b', /host that cannot be read/],
    ['esdb://a:0', /port 0/],
    ['esdb://a:70000', /port 70000/],
    ['esdb://[::1]:2113', /IPv6/],
    ['esdb://::1', /IPv6/],
    ['esdb://user@a', /without a password/],
    ['esdb://user:100%@a', /%25/],
    ['esdb://user:secret@a?tls=false', /tls=false together with a user/],
    ['esdb://a?tls=no', /tls, which must be true or false/],
    ['esdb://a?tlsVerifyCert=false', /tlsVerifyCert, which can only be true: .*tlsCAFile/],
    ['esdb://a?throwOnAppendFailure=false', /throwOnAppendFailure, which can only be true/],
    ['esdb://a?nodePreference=follower', /nodePreference, which can only be leader/],
    ['esdb://a?keepAliveInterval=-1', /keepAliveInterval, which must/],
    ['esdb://a?keepAliveInterval=500', /10000 or more/],
    ['esdb://a?tls=false&tlsCAFile=x', /tls=false together with a certificate/],
    ['esdb://a?userCertFile=x', /userCertFile and userKeyFile together/],
    ['esdb://a?retries=3', /retries, which is not known/],
  ])('refuses %s', (url, reason) => {
    expect(() => parseEventStoreDbUrl(url)).toThrow(StartupError);
    expect(() => parseEventStoreDbUrl(url)).toThrow(reason);
    expect(() => parseEventStoreDbUrl(url)).toThrow(/^EVENTSTOREDB_URL [^\n]+$/);
    expect(() => parseEventStoreDbUrl(url)).not.toThrow(/secret/);
  });
});
