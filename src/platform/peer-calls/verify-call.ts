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

/** The refusal of a call between servers. The caller gets `message`, and the audit trail gets `reason`. */
export class PeerCallRefusal extends Refusal {
  constructor(
    code: ErrorCode,
    message: string,
    readonly reason: string = message,
  ) {
    super(code, message);
  }
}

/** The refusal of a call whose key id is unknown. A stranger learns from it only whether an id belongs to a peer. */
export const unknownKey = (): PeerCallRefusal => new PeerCallRefusal('PEER_KEY_UNKNOWN', 'unknown key');

/** The refusal of a call whose signature is not valid. Only the audit trail gets the reason. */
export const invalidSignature = (reason: string): PeerCallRefusal =>
  new PeerCallRefusal('PEER_SIGNATURE_INVALID', 'The signature is not valid for this call.', reason);

/** A call as it arrived, before it is verified. */
export interface SignedCall {
  readonly method: string;
  /**
   * The absolute URLs that the caller may have signed, because a proxy may change host and path. They are tried in
   * order.
   */
  readonly targets: readonly string[];
  readonly fields: readonly { readonly name: string; readonly value: string }[];
}

/** The facts about a call that its verified signature proves. */
export interface VerifiedCall {
  /** The id of the server that signed the call. */
  readonly keyId: string;
  readonly nonce: string;
  /** Time at which the signature expires, in seconds since 1970. */
  readonly expires: number;
  /** The id of the server that is called; null when the call does not name it. */
  readonly recipient: string | null;
}

/** Finds the raw public key (base64url) of a key id; null when the id is unknown. */
type FindKey = (keyId: string) => Promise<string | null>;

const COVERED = [...SIGNED_COMPONENTS, RECIPIENT_HEADER];
const SIGNATURE_FIELDS = new Set(['signature', 'signature-input', 'content-digest', RECIPIENT_HEADER]);

/**
 * Switches off the check of times in the signature library. `checkTimes` checks them after the signature, so that a
 * stranger learns nothing about the clock of this server.
 */
const ANY_TIME = Number.MAX_SAFE_INTEGER;

/**
 * Verifies the signature of a call between servers (RFC 9421). The signature must cover exactly the agreed components
 * and have all parameters and the agreed tag. The caller of this function has to check the nonce and the body.
 * @throws PeerCallRefusal PEER_SIGNATURE_MISSING, PEER_SIGNATURE_INVALID, PEER_KEY_UNKNOWN or PEER_CLOCK_OFF
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
    throw new PeerCallRefusal('PEER_SIGNATURE_INVALID', `The signature expired ${now - expires} s ago.`);
  }
}

const isoSeconds = (seconds: number): string =>
  Math.abs(seconds) < 1e11 ? new Date(seconds * 1000).toISOString() : String(seconds);
