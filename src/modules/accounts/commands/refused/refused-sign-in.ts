import { Refusal } from '../../../../kernel/refusal.js';

const WRONG_CREDENTIALS = 'The name or the password is wrong.';
const DIRECTORY_DOWN =
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
  static wrong(reason = WRONG_CREDENTIALS): RefusedSignIn {
    return new RefusedSignIn('SIGN_IN_REFUSED', WRONG_CREDENTIALS, reason);
  }

  /** The same whether there is such an account, local or not. */
  static directoryDown(reason: string): RefusedSignIn {
    return new RefusedSignIn('DIRECTORY_UNAVAILABLE', DIRECTORY_DOWN, reason);
  }
}

export const reasonOf = (refusal: Refusal): string =>
  refusal instanceof RefusedSignIn ? refusal.reason : refusal.message;
