import { isSignatureError, type RequestDescriptor, type SignatureParameters, verifySignature } from 'http-message-sig';
import { type ErrorCode, Refusal } from '../../kernel/errors.js';
import { verifyEd25519 } from './ed25519.js';
import {
  ALGORITHM,
  CLOCK_TOLERANCE_SECONDS,
  LIFETIME_SECONDS,
  NONCE_FORMAT,
  RECIPIENT_HEADER,
  SIGNATURE_PARAMETERS,
  SIGNATURE_TAG,
  SIGNED_COMPONENTS,
} from './signature-format.js';

/** A call that is not let in. `message` is what the caller may know, `reason` what the record says. */
export class PeerCallRefusal extends Refusal {
  constructor(
    code: ErrorCode,
    message: string,
    readonly reason: string = message,
  ) {
    super(code, message);
  }
}

/** The key is known or not; whether a name is that of a peer is all that a stranger learns. */
export const unknownKey = (): PeerCallRefusal => new PeerCallRefusal('PEER_KEY_UNKNOWN', 'unknown key');

export const invalidSignature = (reason: string): PeerCallRefusal =>
  new PeerCallRefusal('PEER_SIGNATURE_INVALID', 'The signature is not valid for this call.', reason);

/** A call as it arrived. */
export interface SignedCall {
  readonly method: string;
  /** Every absolute URL that the caller may have meant: a proxy may rewrite host and path. The first is tried first. */
  readonly targets: readonly string[];
  readonly fields: readonly { readonly name: string; readonly value: string }[];
}

/** What is true of a call whose signature was verified. */
export interface VerifiedCall {
  readonly keyId: string;
  readonly nonce: string;
  /** When the signature ends, in seconds since 1970. */
  readonly expires: number;
  /** Server id of the one who was called; null when the caller did not know it. */
  readonly recipient: string | null;
}

/** Raw public key (base64url) of a key id; null when it is not known. */
type FindKey = (keyId: string) => Promise<string | null>;

const COVERED = [...SIGNED_COMPONENTS, RECIPIENT_HEADER];
const SIGNATURE_FIELDS = new Set(['signature', 'signature-input', 'content-digest', RECIPIENT_HEADER]);

/** The times are checked after the signature, so that a stranger learns nothing of our clock. */
const ANY_TIME = Number.MAX_SAFE_INTEGER;

/**
 * Checks an RFC 9421 signature strictly against the policy of calls between servers: one signature, nothing but the
 * agreed components, all parameters, the exact tag. Nonce and body are the caller's to check.
 * @throws PeerCallRefusal
 */
export async function verifyCall(call: SignedCall, findKey: FindKey, nowSeconds: number): Promise<VerifiedCall> {
  const fields = call.fields.filter(({ name }) => SIGNATURE_FIELDS.has(name.toLowerCase()));
  const present = new Set(fields.map(({ name }) => name.toLowerCase()));
  if (!present.has('signature') || !present.has('signature-input')) {
    throw new PeerCallRefusal('PEER_SIGNATURE_MISSING', 'Calls between servers must be signed.');
  }
  const parameters = await verifyAnyTarget({ ...call, fields }, findKey);
  const { keyid = '', nonce = '', created = 0, expires = 0, tag } = parameters;
  if (tag !== SIGNATURE_TAG) throw invalidSignature(`the tag is not ${SIGNATURE_TAG}`);
  if (!NONCE_FORMAT.test(nonce)) throw invalidSignature('the nonce is not 16 to 100 characters of base64url');
  checkTimes(created, expires, nowSeconds);
  return { keyId: keyid, nonce, expires, recipient: fields.find(isRecipient)?.value ?? null };
}

const isRecipient = ({ name }: { readonly name: string }): boolean => name.toLowerCase() === RECIPIENT_HEADER;

async function verifyAnyTarget(call: SignedCall, findKey: FindKey): Promise<SignatureParameters> {
  let last: unknown = invalidSignature('the request target is not a path');
  for (const targetUri of call.targets) {
    try {
      return await verifyOne({ kind: 'request', method: call.method, targetUri, fields: call.fields }, findKey);
    } catch (error) {
      last = error;
      if (!isSignatureError(error) || error.code !== 'VerificationFailed') break;
    }
  }
  if (isSignatureError(last)) throw last.cause instanceof PeerCallRefusal ? last.cause : invalidSignature(last.message);
  throw last;
}

async function verifyOne(message: RequestDescriptor, findKey: FindKey): Promise<SignatureParameters> {
  const requiredComponents = message.fields.some(isRecipient) ? COVERED : SIGNED_COMPONENTS;
  const { parameters } = await verifySignature(message, {
    policy: {
      algorithms: [ALGORITHM],
      requiredComponents,
      requiredParameters: SIGNATURE_PARAMETERS,
      clockSkew: ANY_TIME,
    },
    async resolveVerifier({ components, parameters: { keyid = '' } }) {
      if (components.length !== requiredComponents.length)
        throw invalidSignature('it covers components that are not agreed');
      const publicKey = await findKey(keyid);
      if (publicKey === null) throw unknownKey();
      return {
        algorithm: ALGORITHM,
        verify: (data: Uint8Array, signature: Uint8Array) => verifyEd25519(publicKey, data, signature),
      };
    },
  });
  return parameters;
}

function checkTimes(created: number, expires: number, now: number): void {
  const off = now - created;
  if (Math.abs(off) > CLOCK_TOLERANCE_SECONDS) {
    const message = `clock off by ${Math.abs(off)} s: the call was signed at ${isoSeconds(created)}, here it is ${isoSeconds(now)}`;
    throw new PeerCallRefusal('PEER_CLOCK_OFF', message);
  }
  if (expires <= created || expires > created + LIFETIME_SECONDS) {
    throw invalidSignature(`the signature must expire within ${LIFETIME_SECONDS} s after it was created`);
  }
  if (expires < now) {
    throw new PeerCallRefusal('PEER_SIGNATURE_INVALID', `The signature has expired ${now - expires} s ago.`);
  }
}

const isoSeconds = (seconds: number): string =>
  Math.abs(seconds) < 1e11 ? new Date(seconds * 1000).toISOString() : String(seconds);
