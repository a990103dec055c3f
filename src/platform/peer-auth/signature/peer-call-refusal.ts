import { Refusal } from '../../../kernel/refusal.js';

/** A call that is not let in. `message` is what the caller may know, `reason` what the record says. */
export class PeerCallRefusal extends Refusal {
  constructor(
    code: string,
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
