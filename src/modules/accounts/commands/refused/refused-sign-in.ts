import { Refusal } from '../../../../kernel/refusal.js';

const WRONG = 'The name or the password is wrong.';
const DOWN =
  'The directory that most people sign in through does not answer. Try again in a minute; local accounts can sign in meanwhile. Or the name or the password is wrong.';

/** A sign-in that is refused. Strangers are told the message, the audit trail the reason. */
export class RefusedSignIn extends Refusal {
  private constructor(
    code: string,
    message: string,
    readonly reason: string,
  ) {
    super(code, message);
  }

  /** The same for every reason that has to do with the name or the password. */
  static wrong(reason = WRONG): RefusedSignIn {
    return new RefusedSignIn('SIGN_IN_REFUSED', WRONG, reason);
  }

  /** The same whether there is such an account, local or not. */
  static directoryDown(reason: string): RefusedSignIn {
    return new RefusedSignIn('DIRECTORY_UNAVAILABLE', DOWN, reason);
  }
}

export const reasonOf = (refusal: Refusal): string =>
  refusal instanceof RefusedSignIn ? refusal.reason : refusal.message;
