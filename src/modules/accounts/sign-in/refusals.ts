import { Injectable, Logger } from '@nestjs/common';
import { Refusal } from '../../../kernel/errors.js';
import { type RefusedCall, RefusedCalls } from '../../../platform/access/access.port.js';
import { FactsLog } from '../../../platform/eventsourcing/facts-log.js';
import { RefusalRecord } from '../../../platform/limits/refusal-record.js';
import { accountEvents } from '../contracts/account.events.js';

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
  static wrongCredentials(reason = WRONG_CREDENTIALS): RefusedSignIn {
    return new RefusedSignIn('SIGN_IN_REFUSED', WRONG_CREDENTIALS, reason);
  }

  /** The same whether there is such an account, local or not. */
  static directoryDown(reason: string): RefusedSignIn {
    return new RefusedSignIn('DIRECTORY_UNAVAILABLE', DIRECTORY_DOWN, reason);
  }
}

const reasonOf = (refusal: Refusal): string => (refusal instanceof RefusedSignIn ? refusal.reason : refusal.message);

const REFUSALS_STREAM = 'account-refusals';
const MAX_NAME_LENGTH = 100;

/** Puts sign-ins that were refused on record, in bounded numbers. */
@Injectable()
export class RefusedSignIns {
  private readonly record = new RefusalRecord(new Logger('SignIn'));

  constructor(private readonly log: FactsLog) {}

  /** Never throws. */
  recordRefusal(username: string, refusal: Refusal): Promise<void> {
    const reason = reasonOf(refusal);
    return this.record.note((unrecorded) => {
      const data = { username: username.slice(0, MAX_NAME_LENGTH), reason, unrecorded };
      return this.log.append(REFUSALS_STREAM, accountEvents, { type: 'SignInRefused', data });
    });
  }
}

/** Refused calls become events in the stream `account-refusals`, in bounded numbers. */
@Injectable()
export class RecordedRefusedCalls extends RefusedCalls {
  private readonly record = new RefusalRecord(new Logger('Calls'));

  constructor(private readonly log: FactsLog) {
    super();
  }

  note(call: RefusedCall): Promise<void> {
    return this.record.note((unrecorded) =>
      this.log.append('account-refusals', accountEvents, { type: 'CallRefused', data: { ...call, unrecorded } }),
    );
  }
}
