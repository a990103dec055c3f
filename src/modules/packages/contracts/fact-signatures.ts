import { Message } from '../../../kernel/message.js';
import type { Register } from './signed-facts.js';

/** The registers of a package, as the API names them. */
export const SIGNED_REGISTERS = ['PUBLICATION', 'FIRST_PUBLICATION', 'STAGE', 'REMOVAL'] as const;
export type SignedRegister = (typeof SIGNED_REGISTERS)[number];

export const NAME_OF_REGISTER: Readonly<Record<Register, SignedRegister>> = {
  publication: 'PUBLICATION',
  first: 'FIRST_PUBLICATION',
  stage: 'STAGE',
  removal: 'REMOVAL',
};

/** How a register of a package is signed. */
export interface FactSignatureView {
  readonly register: SignedRegister;
  readonly status: 'VERIFIED' | 'KEY_UNKNOWN' | 'INVALID' | 'UNSIGNED';
  /** The status, the server and the key in a few words. */
  readonly text: string;
  /** The server where it happened; null when nobody says so. */
  readonly server: { readonly id: string; readonly name: string } | null;
  /** Who did it there; null when it is unknown. */
  readonly actor: string | null;
  /** When it happened. */
  readonly at: Date;
  /** Base64url. Null without a signature. */
  readonly publicKey: string | null;
  readonly keyFingerprint: string | null;
}

/** Query: how the registers of packages are signed, in the order of the ids; empty for an unknown package. */
export class PackageSignaturesQuery extends Message<readonly (readonly FactSignatureView[])[]> {
  constructor(readonly ids: readonly string[]) {
    super();
  }
}
