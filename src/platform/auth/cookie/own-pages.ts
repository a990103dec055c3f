import type { IncomingMessage } from 'node:http';
import { Refusal } from '../../../kernel/refusal.js';

/** The header that only a script of our own pages can send: for another site's a browser would ask us first (CORS). */
export const CSRF_HEADER = 'x-odst-csrf';

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
