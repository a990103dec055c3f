import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { cameByHttps } from './caller-address.js';

type Headers = Readonly<Record<string, string>>;

/** Headers of every response. */
const EVERYWHERE = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
} as const;

const CSP_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Forbids the features of browsers that no page of this server uses. */
const PERMISSIONS = ['camera', 'display-capture', 'geolocation', 'microphone', 'payment', 'serial', 'usb']
  .map((feature) => `${feature}=()`)
  .join(', ');

/**
 * Headers for JSON and errors, which are for programs. A browser that shows such a response runs and loads nothing from
 * it, and no cache stores it.
 */
export const API_HEADERS: Headers = {
  ...EVERYWHERE,
  'Content-Security-Policy': CSP_NOTHING,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': PERMISSIONS,
  'Cache-Control': 'no-store',
};

/**
 * Headers for uploaded files, which may be HTML. A browser shows them in a sandbox without an origin and without
 * scripts. Pages of all sites may link to the files and load them, because this is the purpose of a distribution
 * point.
 */
export const DOWNLOAD_HEADERS: Headers = {
  ...EVERYWHERE,
  'Content-Security-Policy': `sandbox; ${CSP_NOTHING}`,
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

/** Returns headers as lines, for a response that is written directly on a connection. */
export const headerLines = (headers: Headers): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

/** Name of the header of HTTP Strict Transport Security. */
export const STRICT_TRANSPORT = 'Strict-Transport-Security';

const strictTransportValues = new WeakMap<Duplex, string>();

/**
 * HTTP Strict Transport Security (RFC 6797). A browser that has called this server by HTTPS once does not use HTTP for
 * it during the given time.
 */
export class StrictTransport {
  private readonly value: string;

  /** @param seconds the time in seconds; 0 makes browsers use HTTP again at once */
  constructor(seconds: number) {
    this.value = `max-age=${seconds}`;
  }

  /**
   * Returns the value of the header for the response to a request, or null when the request came by HTTP, where the
   * header must not be sent (RFC 6797, 7.2).
   */
  headerFor(request: IncomingMessage): string | null {
    return cameByHttps(request) ? this.value : null;
  }

  /** Makes `strictTransportLine` return the header for responses that are written directly on this connection. */
  markSocket(socket: Duplex): void {
    strictTransportValues.set(socket, this.value);
  }
}

/**
 * Returns the header as a line, for a response that is written directly on a connection. Returns an empty text when the
 * connection is not marked.
 */
export function strictTransportLine(socket: Duplex): string {
  const value = strictTransportValues.get(socket);
  return value === undefined ? '' : `${STRICT_TRANSPORT}: ${value}\r\n`;
}
