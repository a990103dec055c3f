import { Injectable, Logger } from '@nestjs/common';
import { type ErrorCode, Refusal } from '../../../kernel/errors.js';
import { cleanText } from '../../../kernel/input-text.js';
import { type RefusedCall, RefusedCalls } from '../../../platform/access/access.port.js';
import { FactsLog } from '../../../platform/eventsourcing/command-runner.js';
import { RefusalRecord } from '../../../platform/limits/refusal-record.js';
import { accountEvents } from '../contracts/account.events.js';

const WRONG_CREDENTIALS = 'The name or the password is wrong.';
const DIRECTORY_DOWN =
  'The name or the password is wrong, or it could not be checked, because the directory does not answer. Try again in a minute. Local accounts can sign in now.';

/** A refused sign-in. The caller gets the message; the audit trail records the reason. */
export class RefusedSignIn extends Refusal {
  private constructor(
    code: ErrorCode,
    message: string,
    readonly reason: string,
    /** The password is right, so this is no failed attempt. The caller gets the same answer. */
    readonly passwordIsRight = false,
  ) {
    super(code, message);
  }

  /** The message is the same for every reason that has to do with the name or the password. */
  static wrongCredentials(reason = WRONG_CREDENTIALS): RefusedSignIn {
    return new RefusedSignIn('SIGN_IN_REFUSED', WRONG_CREDENTIALS, reason);
  }

  /** Refuses somebody whose password is right. The caller is told the same as with a wrong one. */
  static notAdmitted(reason: string): RefusedSignIn {
    return new RefusedSignIn('SIGN_IN_REFUSED', WRONG_CREDENTIALS, reason, true);
  }

  /** The message is the same whether or not the account exists, and whether or not it is a local one. */
  static directoryDown(reason: string): RefusedSignIn {
    return new RefusedSignIn('DIRECTORY_UNAVAILABLE', DIRECTORY_DOWN, reason);
  }
}

const reasonOf = (refusal: Refusal): string => (refusal instanceof RefusedSignIn ? refusal.reason : refusal.message);

const REFUSALS_STREAM = 'account-refusals';
const MAX_NAME_LENGTH = 100;
/** A reason may contain the names of a directory. */
const MAX_REASON_LENGTH = 1_000;

/** Records refused sign-ins as events in the stream `account-refusals`, in limited numbers. */
@Injectable()
export class RefusedSignIns {
  private readonly record = new RefusalRecord(new Logger('SignIn'));

  constructor(private readonly log: FactsLog) {}

  /** Records a refused sign-in. Never throws. */
  recordRefusal(username: string, refusal: Refusal): Promise<void> {
    const reason = reasonOf(refusal);
    return this.record.recordOrCount((unrecorded) => {
      const data = {
        username: cleanText(username, MAX_NAME_LENGTH),
        reason: cleanText(reason, MAX_REASON_LENGTH),
        unrecorded,
      };
      return this.log.append(REFUSALS_STREAM, accountEvents, { type: 'SignInRefused', data });
    });
  }
}

/** Records refused calls of signed-in accounts as events in the stream `account-refusals`, in limited numbers. */
@Injectable()
export class RecordedRefusedCalls extends RefusedCalls {
  private readonly record = new RefusalRecord(new Logger('Calls'));

  constructor(private readonly log: FactsLog) {
    super();
  }

  note(call: RefusedCall): Promise<void> {
    return this.record.recordOrCount((unrecorded) =>
      this.log.append('account-refusals', accountEvents, { type: 'CallRefused', data: { ...call, unrecorded } }),
    );
  }
}
