import { describe, expect, it } from 'vitest';
import { decodeToken, encodeToken, type InvitationToken } from './invitation-token.js';

const token: InvitationToken = {
  v: 1,
  invitationId: '0190f5fe-7c00-7a00-8000-000000000001',
  url: 'https://berlin.example',
  serverId: '0190f5fe-7c00-7a00-8000-000000000002',
  publicKey: 'k'.repeat(43),
  secret: 's'.repeat(43),
  expiresAt: '2026-01-01T12:00:00.000Z',
  successions: [],
};

describe('invitation token', () => {
  it('survives being pasted with line breaks and spaces', () => {
    const text = encodeToken(token);
    expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(decodeToken(` ${text.slice(0, 20)}\n${text.slice(20)}\n`)).toEqual(token);
  });

  it('of an earlier version has no proofs of former keys', () => {
    const { successions: _, ...earlier } = token;
    expect(decodeToken(Buffer.from(JSON.stringify(earlier)).toString('base64url'))).toEqual(token);
  });

  it.each([
    ['nothing', ''],
    ['a word', 'hello'],
    ['half of it', encodeToken(token).slice(0, 60)],
    ['another version', Buffer.from(JSON.stringify({ ...token, v: 2 })).toString('base64url')],
    ['a file address', encodeToken({ ...token, url: 'file:///etc/passwd' })],
    ['credentials', encodeToken({ ...token, url: 'https://me:secret@berlin.example' })],
    ['no key', encodeToken({ ...token, publicKey: '' })],
    ['too much', 'A'.repeat(5_000)],
  ])('is refused when it is %s', (_, text) => {
    expect(() => decodeToken(text)).toThrow(expect.objectContaining({ code: 'INVALID_INVITATION' }));
  });
});
