import { createHash } from 'node:crypto';
import { z } from 'zod';
import { isBaseUrl } from '../../../kernel/text.js';
import { Refusal } from '../../../kernel/errors.js';

const MAX_TOKEN_LENGTH = 4_096;

/** The content of an invitation, which one administrator sends to the other as one text. `secret` and `publicKey` are 32 bytes, base64url. */
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

/** Encodes an invitation as one line of base64url. */
export const encodeToken = (token: InvitationToken): string => Buffer.from(JSON.stringify(token)).toString('base64url');

/** Decodes an invitation; white space in the text is ignored. @throws Refusal INVALID_INVITATION */
export function decodeToken(text: string): InvitationToken {
  const parsed = Token.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new Refusal(
    'INVALID_INVITATION',
    'This is not an invitation. Paste the whole token exactly as the other server showed it.',
  );
}

/** Hashes the secret of an invitation (SHA-256, hex). The log keeps only this hash. */
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
