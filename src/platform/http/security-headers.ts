import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { cameByHttps } from './caller-address.js';

type Headers = Readonly<Record<string, string>>;

/** What every answer carries, whatever it is. */
const EVERYWHERE = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
} as const;

const CSP_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Features of a browser that no page of ours uses. */
const PERMISSIONS = ['camera', 'display-capture', 'geolocation', 'microphone', 'payment', 'serial', 'usb']
  .map((feature) => `${feature}=()`)
  .join(', ');

/** JSON and errors: for programs, and inert in a browser that shows them. Nobody keeps a copy. */
export const API_HEADERS: Headers = {
  ...EVERYWHERE,
  'Content-Security-Policy': CSP_NOTHING,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': PERMISSIONS,
  'Cache-Control': 'no-store',
};

/**
 * Files that somebody uploaded, which may be HTML: shown in a browser they run in a sandbox of no origin, without
 * scripts. Pages of every site may link and load them, which is what a distribution server is for.
 */
export const DOWNLOAD_HEADERS: Headers = {
  ...EVERYWHERE,
  'Content-Security-Policy': `sandbox; ${CSP_NOTHING}`,
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

/**
 * Pages of this server and their scripts, styles and images: all of them files of its own, nothing inline, nothing from
 * elsewhere; calls and WebSockets go to this server alone.
 */
export const PAGE_HEADERS: Headers = {
  ...EVERYWHERE,
  'Content-Security-Policy': [
    CSP_NOTHING.replace("form-action 'none'", "form-action 'self'"),
    ...['script', 'style', 'font', 'connect', 'manifest', 'worker'].map((kind) => `${kind}-src 'self'`),
    "img-src 'self' data:",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': PERMISSIONS,
  'Cache-Control': 'no-cache',
};

/** The same as lines of an answer that is written by hand. */
export const headerLines = (headers: Headers): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

export const STRICT_TRANSPORT = 'Strict-Transport-Security';

const strictTransportValues = new WeakMap<Duplex, string>();

/** HTTP Strict Transport Security (RFC 6797): browsers that once came by https never try http again for so long. */
export class StrictTransport {
  private readonly value: string;

  /** @param seconds 0 makes browsers forget it at once */
  constructor(seconds: number) {
    this.value = `max-age=${seconds}`;
  }

  /** The header's value; null for what came by http, where it must not be sent (RFC 6797, 7.2). */
  headerFor(request: IncomingMessage): string | null {
    return cameByHttps(request) ? this.value : null;
  }

  /** Answers that are written on the connection itself will carry it, too. */
  markSocket(socket: Duplex): void {
    strictTransportValues.set(socket, this.value);
  }
}

/** The header as a line of an answer that is written by hand, or nothing. */
export function strictTransportLine(socket: Duplex): string {
  const value = strictTransportValues.get(socket);
  return value === undefined ? '' : `${STRICT_TRANSPORT}: ${value}\r\n`;
}
