import { PeerUnreachable } from '../../../ports/peer-transport.port.js';
import { errorCode, messageOf } from '../../../kernel/errors.js';
import { AddressRefused } from './peer-addresses.js';

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused; is it running, and is the port right?',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  UND_ERR_SOCKET: 'the connection was closed in the middle',
  ENOTFOUND: 'its name is not known to the DNS',
  EAI_AGAIN: 'the DNS does not answer',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to it',
  ETIMEDOUT: 'timed out',
  UND_ERR_CONNECT_TIMEOUT: 'timed out while connecting',
  UND_ERR_HEADERS_TIMEOUT: 'timed out waiting for its answer',
  UND_ERR_BODY_TIMEOUT: 'timed out in the middle of its answer',
  UND_ERR_HEADERS_OVERFLOW: 'answered with an oversized head',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'answered with more than was expected',
  ERR_SSL_WRONG_VERSION_NUMBER:
    'its address begins with https://, but it answers there by http://. Correct the address',
  ERR_SSL_PACKET_LENGTH_TOO_LONG:
    'its address begins with https://, but it answers there by http://. Correct the address',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its TLS certificate is self-signed and not trusted here',
  SELF_SIGNED_CERT_IN_CHAIN: 'its TLS certificate comes from an authority that is not trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its TLS certificate comes from an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its TLS certificate comes from an authority that is not trusted here',
  CERT_HAS_EXPIRED: 'its TLS certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its TLS certificate is for another name',
};

/** Reasons that a call by http:// has when the other side answers HTTPS only. Other faults have them, too. */
const CLOSED_WITHOUT_ANSWER: ReadonlySet<string> = new Set([
  'the connection was reset',
  'the connection was closed in the middle',
  'did not answer with HTTP; is this the right port?',
]);

/** True when a call by http:// may have failed because HTTPS is answered there. */
export const mayBeHttps = ({ reason, status, code }: PeerUnreachable): boolean =>
  code === null && (status === 400 || CLOSED_WITHOUT_ANSWER.has(reason));

export const ANSWERS_HTTPS = 'its address begins with http://, but it answers there by https://. Correct the address';

/** Describes to an administrator why a call to a peer failed. */
export function failureReason(error: unknown): string {
  const known = REASONS[errorCode(error) ?? ''];
  if (known) return known;
  if (error instanceof Error && error.name === 'HTTPParserError') return describeParserError(error);
  if (error instanceof Error && error.cause) return failureReason(error.cause);
  if (error instanceof AggregateError && error.errors.length > 0) return failureReason(error.errors[0]);
  return messageOf(error);
}

/** The parser of undici gives no code, only a message of llhttp. */
const describeParserError = ({ message }: Error): string =>
  message.includes('EOF')
    ? 'the connection was closed in the middle'
    : 'did not answer with HTTP; is this the right port?';

/** Converts any error of a call to a PeerUnreachable. */
export function toPeerUnreachable(peerName: string, error: unknown): PeerUnreachable {
  if (error instanceof PeerUnreachable) return error;
  if (error instanceof AddressRefused) return new PeerUnreachable(peerName, error.message, null, error.code);
  return new PeerUnreachable(peerName, failureReason(error));
}

const CODE = /^[A-Z][A-Z0-9_]{1,63}$/;

/** Returns the `code` of an error body of this software, and null for any other text, which is not trusted. */
export function codeOfBody(body: string): string | null {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null || !('code' in parsed)) return null;
    return typeof parsed.code === 'string' && CODE.test(parsed.code) ? parsed.code : null;
  } catch {
    return null;
  }
}

/**
 * Describes an answer by its status and code.
 * @param date is the header `Date` of the answer: the clock of the peer
 */
export function describeStatus(status: number, code: string | null, date?: string | string[]): string {
  const answer = `answered ${status}${code === null ? '' : ` ${code}`}`;
  if (code === 'PEER_WRONG_SERVER') return `${answer}: its address leads to another server. Correct the address`;
  if (code === 'PEER_ID_SHARED') return `${answer}: ${SHARED_ID}`;
  if (code === 'PEER_CLOCK_OFF') return `${answer}: ${describeClocks(Date.parse(String(date)))}`;
  return answer;
}

const SHARED_ID =
  'another server calls it with the id and the key of this one. One of the two is a copy of the other, and needs an identity of its own: see docs/how-to/connect-servers.md';

function describeClocks(theirs: number): string {
  const seconds = Math.round((theirs - Date.now()) / 1000);
  if (!Number.isFinite(seconds)) return 'its clock differs from the one of this server';
  const side = seconds < 0 ? 'behind' : 'ahead of';
  return `its clock is ${Math.abs(seconds)} s ${side} the one of this server`;
}
