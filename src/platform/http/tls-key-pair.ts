import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { StartupError } from '../../kernel/errors.js';

/** Paths of the PEM files with the certificate and its chain, and with the private key. */
export interface KeyPairFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A usable certificate with its chain, and its private key. Both are in PEM form. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
  /** The certificate of the server itself, which is the first one in the file. */
  readonly leaf: X509Certificate;
}

function readPem(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new StartupError(
      `${setting} names a file that cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}

function parseCertificate(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new StartupError(`ODST_TLS_CERT_FILE is not a certificate in PEM form: ${path}.`);
  }
}

function parseKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new StartupError(`ODST_TLS_KEY_FILE is not a private key in PEM form without a passphrase: ${path}.`);
  }
}

/**
 * Reads both files and checks that they belong together.
 * @throws StartupError with one line that says what is wrong, when a file cannot be read or the pair cannot be used
 */
export function loadKeyPair({ certFile, keyFile }: KeyPairFiles): KeyPair {
  const cert = readPem('ODST_TLS_CERT_FILE', certFile);
  const key = readPem('ODST_TLS_KEY_FILE', keyFile);
  const leaf = parseCertificate(cert, certFile);
  if (!leaf.checkPrivateKey(parseKey(key, keyFile))) {
    throw new StartupError(
      `The key in ODST_TLS_KEY_FILE (${keyFile}) is not the one of the certificate in ODST_TLS_CERT_FILE (${certFile}).`,
    );
  }
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new StartupError(
      `The certificate in ODST_TLS_CERT_FILE (${certFile}) cannot be used: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
  return { cert, key, leaf };
}

const DAY_MS = 24 * 60 * 60 * 1000;
const EXPIRY_WARNING_MS = 14 * DAY_MS;

/**
 * Finds problems of a certificate that does not prevent its use: it has expired, expires within 14 days, is not valid
 * yet, or is not for the host of `ownUrl`. Returns one message for administrators per problem.
 * @param now time in milliseconds since 1970
 */
export function findCertificateProblems({ leaf }: KeyPair, ownUrl: string | null, now: number): string[] {
  const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  const doubts: string[] = [];
  if (now > to) doubts.push(`The TLS certificate has expired at ${leaf.validTo}: clients will refuse it. Renew it.`);
  else if (now > to - EXPIRY_WARNING_MS) doubts.push(`The TLS certificate expires at ${leaf.validTo}. Renew it.`);
  if (now < from)
    doubts.push(`The TLS certificate is not valid before ${leaf.validFrom}: clients will refuse it until then.`);
  if (ownUrl?.startsWith('https:') && !isCertificateFor(leaf, new URL(ownUrl).hostname)) {
    doubts.push(
      `The TLS certificate is not for the host of ${ownUrl}: clients will refuse it. Its names: ${leaf.subjectAltName ?? 'none'}.`,
    );
  }
  return doubts;
}

function isCertificateFor(leaf: X509Certificate, hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return (isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host)) !== undefined;
}
