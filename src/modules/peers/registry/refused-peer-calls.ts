import { Injectable, Logger } from '@nestjs/common';
import { FactsLog } from '../../../platform/eventsourcing/command-runner.js';
import { RefusalRecord } from '../../../platform/limits/refusal-record.js';
import { PeerCallAudit, type RefusedPeerCall } from '../../../platform/peer-calls/peer-call-audit.port.js';
import { peerEvents } from '../contracts/peer.events.js';

const MAX_KEY_ID_LENGTH = 200;
const MAX_REASON_LENGTH = 500;

/** Records refused calls between servers as events in the stream `peer-calls`, in limited numbers. */
@Injectable()
export class RecordedPeerCalls extends PeerCallAudit {
  private readonly record = new RefusalRecord(new Logger('PeerCalls'));

  constructor(private readonly log: FactsLog) {
    super();
  }

  refused({ keyId, reason, ...call }: RefusedPeerCall): Promise<void> {
    return this.record.recordOrCount((unrecorded) => {
      const cut = { reason: reason.slice(0, MAX_REASON_LENGTH), keyId: keyId?.slice(0, MAX_KEY_ID_LENGTH) ?? null };
      return this.log.append('peer-calls', peerEvents, {
        type: 'PeerCallRefused',
        data: { ...call, ...cut, unrecorded },
      });
    });
  }
}
