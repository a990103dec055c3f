import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { requireOwnPage } from './session-cookie.js';

const OWN = 'https://ods.example';

function check(
  headers: IncomingHttpHeaders,
  { method = 'POST', kind = 'request' as 'request' | 'upgrade' } = {},
): string {
  try {
    requireOwnPage({ method, headers: { host: '10.0.0.1:8080', ...headers } } as IncomingMessage, OWN, kind);
    return 'let in';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const csrf = { 'x-odst-csrf': '1' };

describe('a call with the session cookie', () => {
  it.each([
    ['from the address of the server', { origin: OWN, ...csrf }],
    ['from the address that was asked', { origin: 'http://10.0.0.1:8080', ...csrf }],
    ['in another letter case', { origin: 'HTTPS://ODS.example', ...csrf }],
    ['of a browser that does not tell', csrf],
    ['from the same origin', { 'sec-fetch-site': 'same-origin', ...csrf }],
  ])('%s is let in', (_, headers) => {
    expect(check(headers)).toBe('let in');
  });

  it.each([
    ['without the header', { origin: OWN }],
    ['with the header empty', { origin: OWN, 'x-odst-csrf': '' }],
    ['from another site', { origin: 'https://ods.example.evil.com', ...csrf }],
    ['from another port', { origin: 'https://ods.example:444', ...csrf }],
    ['from a file', { origin: 'null', ...csrf }],
    ['from a sibling', { 'sec-fetch-site': 'same-site', ...csrf }],
    ['typed by hand', { 'sec-fetch-site': 'none', ...csrf }],
  ])('%s is refused', (_, headers) => {
    expect(check(headers)).toBe('CROSS_SITE_CALL');
  });

  it('that only reads needs no header, and may be typed by hand', () => {
    expect(check({ 'sec-fetch-site': 'none' }, { method: 'GET' })).toBe('let in');
    expect(check({ 'sec-fetch-site': 'cross-site' }, { method: 'GET' })).toBe('CROSS_SITE_CALL');
  });

  it('that opens a WebSocket needs an own origin', () => {
    expect(check({ origin: OWN }, { method: 'GET', kind: 'upgrade' })).toBe('let in');
    expect(check({}, { method: 'GET', kind: 'upgrade' })).toBe('CROSS_SITE_CALL');
    expect(check({ origin: 'https://evil.example' }, { method: 'GET', kind: 'upgrade' })).toBe('CROSS_SITE_CALL');
    expect(check({ origin: OWN, 'sec-fetch-site': 'none' }, { method: 'GET', kind: 'upgrade' })).toBe(
      'CROSS_SITE_CALL',
    );
  });
});
