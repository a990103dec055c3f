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
  /** The other certificates of the file. */
  readonly chain: readonly X509Certificate[];
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

const BEGIN = /-----BEGIN ([A-Z0-9 ]+)-----/g;

/** Returns the blocks of a PEM file. @throws StartupError when one has no end, as in a file that was cut off or copied in part */
function splitPem(setting: string, pem: string, path: string): string[] {
  const begins = [...pem.matchAll(BEGIN)];
  if ((pem.match(/-----END /g) ?? []).length > begins.length) {
    throw new StartupError(
      `${setting} is cut off: a block in ${path} has no line that begins it. Copy the whole file again.`,
    );
  }
  return begins.map(({ 0: begin, 1: label = '', index }, nth) => {
    const end = `-----END ${label}-----`;
    const rest = pem.slice(index + begin.length);
    const length = rest.indexOf(end);
    const next = rest.indexOf('-----BEGIN ');
    if (length < 0 || (next >= 0 && next < length)) {
      throw new StartupError(
        `${setting} is cut off: block ${nth + 1} (${label}) in ${path} has no line "${end}". Copy the whole file again.`,
      );
    }
    return begin + rest.slice(0, length + end.length);
  });
}

function parseCertificates(pem: string, path: string): [X509Certificate, ...X509Certificate[]] {
  const blocks = splitPem('ODST_TLS_CERT_FILE', pem, path).filter((block) => block.includes('CERTIFICATE-----'));
  const [leaf, ...chain] = blocks.map((block, nth) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new StartupError(
        `Certificate ${nth + 1} in ODST_TLS_CERT_FILE (${path}) is damaged. Copy the whole file again.`,
      );
    }
  });
  if (!leaf) throw new StartupError(`ODST_TLS_CERT_FILE is not a certificate in PEM form: ${path}.`);
  return [leaf, ...chain];
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
  const [leaf, ...chain] = parseCertificates(cert, certFile);
  splitPem('ODST_TLS_KEY_FILE', key, keyFile);
  const privateKey = parseKey(key, keyFile);
  if (!leaf.checkPrivateKey(privateKey)) {
    const place = chain.findIndex((one) => one.checkPrivateKey(privateKey));
    if (place >= 0) throw wrongOrder(certFile, place + 2);
    throw new StartupError(
      `The key in ODST_TLS_KEY_FILE (${keyFile}) is not the one of the certificate in ODST_TLS_CERT_FILE (${certFile}).`,
    );
  }
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    // Later versions of OpenSSL refuse what is only doubted below.
    const weak = [leaf, ...chain].map((one) => describeWeakKey(one)).find((one) => one !== null);
    const reason = weak ?? (error instanceof Error ? error.message : String(error));
    throw new StartupError(`The certificate in ODST_TLS_CERT_FILE (${certFile}) cannot be used: ${reason}.`);
  }
  return { cert, key, leaf, chain };
}

const wrongOrder = (path: string, place: number): StartupError =>
  new StartupError(
    `The certificates in ODST_TLS_CERT_FILE (${path}) are in the wrong order: the one of the key is number ${place}. Put it first, then the intermediate certificates.`,
  );

const MIN_RSA_BITS = 2048;

function describeWeakKey({ publicKey, subject }: X509Certificate): string | null {
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? MIN_RSA_BITS;
  if (bits >= MIN_RSA_BITS) return null;
  return `the key of ${oneLine(subject)} has only ${bits} bits, and ${MIN_RSA_BITS} are the least that clients accept`;
}

const oneLine = (name: string): string => name.replaceAll('\n', ', ');

/**
 * Finds problems of the chain of a certificate that do not prevent its use: weak keys, and an issuer that clients cannot
 * find. Returns one message for administrators per problem.
 * @param trusted the certificates of authorities that this machine trusts
 */
export function findChainProblems({ leaf, chain }: KeyPair, trusted: readonly X509Certificate[]): string[] {
  const doubts = [leaf, ...chain].flatMap((one) => {
    const weak = describeWeakKey(one);
    return weak === null ? [] : [`In the TLS certificate, ${weak}: clients will refuse it. Get one with a longer key.`];
  });
  let last = leaf;
  // Clients find their way in any order, and the chain may end with the authority itself.
  for (let steps = chain.length; steps > 0; steps--)
    last = chain.find((one) => one !== last && isIssuedBy(last, one)) ?? last;
  const isKnown = isIssuedBy(last, last) || trusted.some((authority) => isIssuedBy(last, authority));
  if (!isKnown) {
    doubts.push(
      `The TLS certificate comes without the one of its issuer (${oneLine(last.issuer)}), so clients that do not know that issuer will refuse it. Append the intermediate certificates to ODST_TLS_CERT_FILE. If the issuer is an authority of your own that all clients know, name its certificate in NODE_EXTRA_CA_CERTS, and this warning ends.`,
    );
  }
  return doubts;
}

const isIssuedBy = (one: X509Certificate, issuer: X509Certificate): boolean =>
  one.checkIssued(issuer) && one.verify(issuer.publicKey);

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
