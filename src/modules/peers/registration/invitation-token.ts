import { createHash } from 'node:crypto';
import { z } from 'zod';
import { isBaseUrl } from '../../../kernel/text.js';
import { Refusal } from '../../../kernel/errors.js';

const MAX_TOKEN_LENGTH = 4_096;

/** What one administrator hands to the other: one paste. `secret` and key are 32 bytes, base64url. */
const Token = z.object({
  v: z.literal(1),
  invitationId: z.uuid(),
  url: z.string().refine(isBaseUrl),
  serverId: z.uuid(),
  publicKey: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  secret: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  expiresAt: z.iso.datetime(),
});
export type InvitationToken = z.output<typeof Token>;

export const encodeToken = (token: InvitationToken): string => Buffer.from(JSON.stringify(token)).toString('base64url');

/** @throws Refusal INVALID_INVITATION */
export function decodeToken(text: string): InvitationToken {
  const parsed = Token.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new Refusal(
    'INVALID_INVITATION',
    'This is not an invitation. Paste the whole token, as the other server showed it.',
  );
}

/** SHA-256 in hex: what the log keeps of the secret. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');

function parseJson(text: string): unknown {
  const compact = text.replaceAll(/\s/g, '');
  if (compact.length > MAX_TOKEN_LENGTH || !/^[A-Za-z0-9_-]+$/.test(compact)) return undefined;
  try {
    return JSON.parse(Buffer.from(compact, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
