import { Injectable, Logger } from '@nestjs/common';
import type { Refusal } from '../../../../kernel/refusal.js';
import { FactsLog } from '../../../../platform/cqrs/facts-log.js';
import { RefusalRecord } from '../../../../platform/limits/refusal-record.js';
import { reasonOf } from './refused-sign-in.js';
import { accountEvents } from '../../contracts/account.events.js';

const STREAM = 'account-refusals';
const MAX_NAME = 100;

/** Puts sign-ins that were refused on record, in bounded numbers. */
@Injectable()
export class RefusedSignIns {
  private readonly record = new RefusalRecord(new Logger('SignIn'));

  constructor(private readonly log: FactsLog) {}

  /** Never throws. */
  note(username: string, refusal: Refusal): Promise<void> {
    const reason = reasonOf(refusal);
    return this.record.note((unrecorded) => {
      const data = { username: username.slice(0, MAX_NAME), reason, unrecorded };
      return this.log.append(STREAM, accountEvents, { type: 'SignInRefused', data });
    });
  }
}
