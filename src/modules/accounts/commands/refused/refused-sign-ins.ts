import { Injectable, Logger } from '@nestjs/common';
import type { Refusal } from '../../../../kernel/refusal.js';
import { FactsLog } from '../../../../platform/cqrs/facts-log.js';
import { RefusalRecord } from '../../../../platform/limits/refusal-record.js';
import { reasonOf } from './refused-sign-in.js';
import { accountEvents } from '../../contracts/account.events.js';

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
