import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from 'undici';

/** Path of a file in this folder: `authority.crt` has signed `first.crt` and `second.crt`, both for 127.0.0.1. */
export const tlsFile = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export const authority = readFileSync(tlsFile('authority.crt'), 'utf8');

/** What a server needs to serve HTTPS and to trust others that do. */
export const HTTPS = {
  ODST_TLS_CERT_FILE: tlsFile('first.crt'),
  ODST_TLS_KEY_FILE: tlsFile('first.key'),
  NODE_EXTRA_CA_CERTS: tlsFile('authority.crt'),
};

/** Has `fetch` in this process trust the authority of the tests. Returns the way back. */
export function trustAuthority(): () => void {
  const before = getGlobalDispatcher();
  const trusting = new Agent({ connect: { ca: authority } });
  setGlobalDispatcher(trusting);
  return () => {
    setGlobalDispatcher(before);
    void trusting.close();
  };
}
