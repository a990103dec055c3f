import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { has } from '../programs.js';

export interface Certificates {
  readonly ca: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  remove(): void;
}

export const hasOpenssl = has('openssl', 'version');

/** One for 127.0.0.1 that is its own authority, for machines without openssl. */
function fixedCertificates(): Certificates {
  const at = (name: string): string => fileURLToPath(new URL(`../tls/${name}`, import.meta.url));
  const caFile = at('localhost.crt');
  return {
    ca: readFileSync(caFile, 'utf8'),
    caFile,
    certFile: caFile,
    keyFile: at('localhost.key'),
    remove: () => undefined,
  };
}

/** For 127.0.0.1. */
export const certificates = (): Certificates => (hasOpenssl ? makeCertificates() : fixedCertificates());

/** A certificate authority of its own, and a certificate of it for this machine, or another name. Needs openssl. */
export function makeCertificates(names = 'IP:127.0.0.1,DNS:localhost'): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'odst-tls-'));
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
    '-days',
    '2',
    '-subj',
    '/CN=Test Authority',
    '-addext',
    'keyUsage=critical,keyCertSign',
  );
  openssl('req', ...key, '-keyout', at('key.pem'), '-out', at('csr.pem'), '-subj', '/CN=directory');
  writeFileSync(at('ext'), `subjectAltName=${names}\n`);
  openssl(
    'x509',
    '-req',
    '-in',
    at('csr.pem'),
    '-CA',
    at('ca.pem'),
    '-CAkey',
    at('ca.key'),
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    at('ext'),
    '-out',
    at('cert.pem'),
  );
  return {
    ca: readFileSync(at('ca.pem'), 'utf8'),
    caFile: at('ca.pem'),
    certFile: at('cert.pem'),
    keyFile: at('key.pem'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
