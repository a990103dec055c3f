import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Refusal } from '../../../kernel/errors.js';
import {
  base64UrlBytes,
  BaseUrl,
  keySuccessions,
  LowerUuid,
  PublicKey,
  Time,
} from '../../../platform/input/parsers.js';
import { type ReadBy, wireSchema } from '../../../platform/input/wire-schema.js';

const MAX_TOKEN_LENGTH = 4_096;

/** As many successions as fit into a text that people paste. */
export const MAX_SUCCESSIONS = 5;

/** What one administrator sends to the other as one text. */
const Token = wireSchema(
  'invitation',
  z.object({
    v: z.literal(1),
    invitationId: LowerUuid,
    url: BaseUrl,
    serverId: LowerUuid,
    publicKey: PublicKey,
    secret: base64UrlBytes(32),
    expiresAt: Time,
    /** Proofs that the key follows former ones. An invitation of an earlier version has none. */
    successions: keySuccessions(MAX_SUCCESSIONS).default([]),
  }),
);
export type InvitationToken = ReadBy<typeof Token>;

/** Encodes an invitation as one line of base64url. */
export const encodeToken = (token: InvitationToken): string => Buffer.from(JSON.stringify(token)).toString('base64url');

/** Decodes an invitation; white space in the text is ignored. @throws Refusal INVALID_INVITATION */
export function decodeToken(text: string): InvitationToken {
  const { data: token, fault } = Token.read(parseJson(text));
  if (fault === null) return token;
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
