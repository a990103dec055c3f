import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Refusal } from '../../kernel/errors.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { cameByHttps } from '../http/caller-address.js';

/** The header that only a script of our own pages can send: for another site's a browser would ask us first (CORS). */
const CSRF_HEADER = 'x-odst-csrf';

const crossSiteCall = (why: string): Refusal =>
  new Refusal(
    'CROSS_SITE_CALL',
    `${why} Programs send a token as "Authorization: Bearer <token>" instead of a cookie.`,
  );

/** Does this `Origin` name the server that is asked? */
function isOwnOrigin(origin: string, host: string | undefined, ownUrl: string): boolean {
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  return url.host === host?.toLowerCase() || url.origin === new URL(ownUrl).origin;
}

/**
 * A cookie comes with whatever makes a browser call us, so such a call must come from a page of this server: browsers say
 * so in `Origin` and `Sec-Fetch-Site`. What changes something has to carry a header, too, and a WebSocket, for which there
 * are no headers, an `Origin`. @throws Refusal CROSS_SITE_CALL
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

/** `__Host-`: browsers take it only with Secure, from this very host, for all paths (RFC 6265bis, 4.1.3.2). */
const SECURE_NAME = '__Host-odst';
const PLAIN_NAME = 'odst';

/** The session of a browser: a cookie that scripts can't read and other sites can't send. */
@Injectable()
export class SessionCookie {
  constructor(private readonly identity: ServerIdentity) {}

  /** The token in a request's cookie, null without one. @throws Refusal CROSS_SITE_CALL when another site may have sent it */
  tokenIn(request: IncomingMessage, kind: 'request' | 'upgrade'): string | null {
    const token = cookieValue(request.headers.cookie, this.nameFor(request));
    if (token === null) return null;
    requireOwnPage(request, this.identity.url, kind);
    return token;
  }

  /** Also for who has no cookie yet: another site must not sign somebody in as somebody else. @throws Refusal CROSS_SITE_CALL */
  requireOwnPage(request: IncomingMessage): void {
    requireOwnPage(request, this.identity.url, 'request');
  }

  setCookie(request: IncomingMessage, response: ServerResponse, token: string, expiresAt: Date): void {
    const seconds = Math.max(0, Math.floor((expiresAt.getTime() - Date.now()) / 1000));
    response.appendHeader('Set-Cookie', this.cookieText(request, token, seconds));
  }

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

  /** A proxy may end TLS without saying so: then the server's own address tells. */
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
