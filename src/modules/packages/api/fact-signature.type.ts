import { Field, ObjectType } from '@nestjs/graphql';
import { ServerReference } from '../../../platform/graphql/common.types.js';
import { enumOf } from '../../../platform/graphql/enum-of.js';
import { SIGNATURE_STATUSES, type SignatureStatus } from '../../../platform/peer-calls/describe-signature.js';
import { SIGNED_REGISTERS, type SignedRegister } from '../contracts/fact-signatures.js';

const SignatureStatusName = enumOf('SignatureStatus', SIGNATURE_STATUSES, {
  type: 'What this server found out about the signature of a change, with the keys that it knows now.',
  values: {
    VERIFIED: 'The server on which the change was made has signed it.',
    KEY_UNKNOWN: 'The change is signed, and this server knows no key of the server that it names.',
    INVALID: 'The signature contradicts the keys that this server knows of the server that it names.',
    UNSIGNED: 'The change is not signed. Servers of earlier versions did not sign.',
  },
});

const SignedRegisterName = enumOf('SignedRegister', SIGNED_REGISTERS, {
  type: 'What a server signs of a package.',
  values: {
    PUBLICATION: 'The last publication, with the account, the filename and the digests.',
    FIRST_PUBLICATION: 'The time of the first publication.',
    STAGE: 'The stage.',
    REMOVAL: 'The removal.',
  },
});

@ObjectType({ description: 'Who signed a change of a package, and whether this server could verify it.' })
export class FactSignature {
  @Field(() => SignedRegisterName)
  register!: SignedRegister;

  @Field(() => SignatureStatusName)
  status!: SignatureStatus;

  @Field(() => String, { description: 'The status, the server and the key, in a few words.' })
  text!: string;

  @Field(() => ServerReference, {
    nullable: true,
    description: 'The server on which the change was made. Null when this is not known.',
  })
  server!: ServerReference | null;

  @Field(() => String, {
    nullable: true,
    description: 'Name of the account or token that made the change on that server. Null when this is not known.',
  })
  actor!: string | null;

  @Field(() => Date, { description: 'When the change was made.' })
  at!: Date;

  @Field(() => String, {
    nullable: true,
    description:
      'The Ed25519 public key (32 bytes, base64url) to which the signature belongs. Null when it is unsigned.',
  })
  publicKey!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Fingerprint of the public key, as in `Peer.keyFingerprint`. Null when it is unsigned.',
  })
  keyFingerprint!: string | null;
}
