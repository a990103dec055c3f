import { z } from 'zod';
import { parseException, parseProxy } from '../../adapters/peer-transport/http/proxies.js';

const proxyAddress = z.string().refine((value) => parseProxy(value) !== null);
const ADDRESS = 'the http:// or https:// address of a proxy, such as http://user:password@proxy.example.com:3128';

/** The part of `environment` that is about proxies for outgoing calls. Other programs have these variables, too. */
export const proxyVariables = {
  HTTPS_PROXY: {
    setting: 'httpsProxy',
    check: proxyAddress,
    unset: 'none: peers with an https:// address are called directly',
    expected: ADDRESS,
    meaning:
      'Proxy through which this server calls peers with an https:// address. It resolves their names, and passes on encrypted bytes (`CONNECT`). Also `https_proxy`, which counts when both are set.',
  },
  HTTP_PROXY: {
    setting: 'httpProxy',
    check: proxyAddress,
    unset: 'none: peers with an http:// address are called directly',
    expected: ADDRESS,
    meaning:
      'Proxy through which this server calls peers with an http:// address. It resolves their names. A server that is not reachable opens its connections with `CONNECT`. Also `http_proxy`, which counts when both are set.',
  },
  NO_PROXY: {
    setting: 'noProxy',
    check: z
      .string()
      .transform((list) => list.split(/[\s,]+/).filter((entry) => entry !== ''))
      .refine((list) => list.every((entry) => parseException(entry) !== null)),
    otherwise: [] as readonly string[],
    unset: 'none',
    expected:
      'a comma-separated list of names, addresses and CIDR ranges, each also with a port, or *, such as example.com,10.0.0.0/8,[fd00::7]:8080',
    meaning:
      'Peers that are called without a proxy. A name stands for itself and for all names that end with it, with or without a dot before it; addresses and ranges stand for addresses of peers that are written as such. Also `no_proxy`, which counts when both are set.',
  },
} as const;
