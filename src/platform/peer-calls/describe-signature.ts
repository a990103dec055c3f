import type { KeyStatus } from './signer-keys.port.js';
import { keyFingerprint } from './ed25519.js';

/** What this server found out about the signature of a change. */
export const SIGNATURE_STATUSES = ['VERIFIED', 'KEY_UNKNOWN', 'INVALID', 'UNSIGNED'] as const;
export type SignatureStatus = (typeof SIGNATURE_STATUSES)[number];

/** What a valid signature is worth, by what is known of its key. */
export const SIGNATURE_STATUS_OF: Readonly<Record<KeyStatus, SignatureStatus>> = {
  known: 'VERIFIED',
  'server unknown': 'KEY_UNKNOWN',
  'other key': 'INVALID',
};

interface Signature {
  readonly status: SignatureStatus;
  /** Name of the server that signed; of an unsigned change, the name of the server that told it, if another one did. */
  readonly serverName: string | null;
  /** Base64url. Null when there is no signature. */
  readonly publicKey: string | null;
}

/** Says in a few words who signed a change. */
export function describeSignature({ status, serverName, publicKey }: Signature): string {
  const server = serverName ?? 'an unknown server';
  const key = publicKey === null ? 'none' : keyFingerprint(publicKey);
  switch (status) {
    case 'VERIFIED':
      return `signed by ${server}, key ${key}`;
    case 'KEY_UNKNOWN':
      return `not verifiable: the key ${key} of ${server} is not known here`;
    case 'INVALID':
      return `not valid: the signature with the key ${key} is not by ${server}`;
    case 'UNSIGNED':
      return serverName === null ? 'unsigned' : `unsigned, said by ${serverName}`;
  }
}
