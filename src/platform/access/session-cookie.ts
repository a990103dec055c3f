import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Refusal } from '../../kernel/errors.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { cameByHttps } from '../http/caller-address.js';

/**
 * A header that only scripts of this server's pages can send. For other sites, browsers send a CORS preflight first.
 */
const CSRF_HEADER = 'x-odst-csrf';

const crossSiteCall = (why: string): Refusal =>
  new Refusal(
    'CROSS_SITE_CALL',
    `${why} Programs send a token as "Authorization: Bearer <token>" instead of a cookie.`,
  );

/** True when this `Origin` is the server that receives the request. */
function isOwnOrigin(origin: string, host: string | undefined, ownUrl: string): boolean {
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  return url.host === host?.toLowerCase() || url.origin === new URL(ownUrl).origin;
}

/**
 * Checks that a call with a cookie comes from a page of this server. Browsers add the cookie to every request to this
 * server, and say in `Origin` and `Sec-Fetch-Site` which page caused the request. A request other than GET or HEAD also
 * needs the header `X-ODST-CSRF: 1`. A WebSocket needs an `Origin`, because pages cannot set headers for it.
 * @throws Refusal CROSS_SITE_CALL
 */
export function requireOwnPage(
  { method, headers }: IncomingMessage,
  ownUrl: string,
  kind: 'request' | 'upgrade',
): void {
  const site = headers['sec-fetch-site'];
  const isSafe = kind === 'request' && (method === 'GET' || method === 'HEAD');
  const isOwnSite = site === undefined || site === 'same-origin' || (site === 'none' && isSafe);
  if (!isOwnSite) throw crossSiteCall('The call comes from a page of another site.');
  const { origin } = headers;
  if (origin !== undefined && !isOwnOrigin(origin, headers.host, ownUrl))
    throw crossSiteCall('The call comes from a page of another site.');
  if (kind === 'upgrade' && origin === undefined)
    throw crossSiteCall('A WebSocket with the session cookie needs the header Origin.');
  if (kind === 'request' && !isSafe && headers[CSRF_HEADER] !== '1') {
    throw crossSiteCall('A call with the session cookie that may change something needs the header X-ODST-CSRF: 1.');
  }
}

/**
 * Browsers accept a cookie with the prefix `__Host-` only when it is Secure, has the path `/` and comes from this host
 * itself (RFC 6265bis, 4.1.3.2).
 */
const SECURE_NAME = '__Host-odst';
const PLAIN_NAME = 'odst';

/** The session cookie of a browser. Scripts cannot read it, and browsers do not send it for pages of other sites. */
@Injectable()
export class SessionCookie {
  constructor(private readonly identity: ServerIdentity) {}

  /**
   * Returns the token in the session cookie of a request, or null when there is no such cookie.
   * @throws Refusal CROSS_SITE_CALL when the page of another site may have caused the request
   */
  tokenIn(request: IncomingMessage, kind: 'request' | 'upgrade'): string | null {
    const token = cookieValue(request.headers.cookie, this.nameFor(request));
    if (token === null) return null;
    requireOwnPage(request, this.identity.url, kind);
    return token;
  }

  /**
   * Checks that a sign-in comes from a page of this server. This applies also to a browser that has no cookie yet, so
   * that another site cannot sign somebody in to the wrong account.
   * @throws Refusal CROSS_SITE_CALL
   */
  requireOwnPage(request: IncomingMessage): void {
    requireOwnPage(request, this.identity.url, 'request');
  }

  /** Adds the session cookie to a response. The cookie is valid until `expiresAt`. */
  setCookie(request: IncomingMessage, response: ServerResponse, token: string, expiresAt: Date): void {
    const seconds = Math.max(0, Math.floor((expiresAt.getTime() - Date.now()) / 1000));
    response.appendHeader('Set-Cookie', this.cookieText(request, token, seconds));
  }

  /** Adds a header to a response that deletes the session cookie in the browser. */
  clearCookie(request: IncomingMessage, response: ServerResponse): void {
    response.appendHeader('Set-Cookie', this.cookieText(request, '', 0));
  }

  private cookieText(request: IncomingMessage, value: string, seconds: number): string {
    const secure = this.isSecure(request) ? '; Secure' : '';
    return `${this.nameFor(request)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
  }

  private nameFor(request: IncomingMessage): string {
    return this.isSecure(request) ? SECURE_NAME : PLAIN_NAME;
  }

  /** A proxy may end TLS without a header that says so. Then the configured address of this server decides. */
  private isSecure(request: IncomingMessage): boolean {
    return cameByHttps(request) || this.identity.url.startsWith('https:');
  }
}

function cookieValue(header: string | undefined, name: string): string | null {
  for (const pair of header?.split(';') ?? []) {
    const [key = '', value = ''] = pair.trim().split('=', 2);
    if (key === name && value !== '') return value;
  }
  return null;
}
