import { Injectable, Logger } from '@nestjs/common';
import { FactsLog } from '../../../../platform/cqrs/facts-log.js';
import { RefusalRecord } from '../../../../platform/limits/refusal-record.js';
import { RefusedCalls, type RefusedCall } from '../../../../ports/refused-calls.port.js';
import { accountEvents } from '../../contracts/account.events.js';

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
