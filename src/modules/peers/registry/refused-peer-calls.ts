import { Injectable, Logger } from '@nestjs/common';
import { cleanText } from '../../../kernel/input-text.js';
import { FactsLog } from '../../../platform/eventsourcing/command-runner.js';
import { RefusalRecord } from '../../../platform/limits/refusal-record.js';
import { PeerCallAudit, type RefusedPeerCall } from '../../../platform/peer-calls/peer-call-audit.port.js';
import { peerEvents } from '../contracts/peer.events.js';

const MAX_KEY_ID_LENGTH = 200;
const MAX_REASON_LENGTH = 500;
const MAX_PATH_LENGTH = 500;

/** Records refused calls between servers as events in the stream `peer-calls`, in limited numbers. */
@Injectable()
export class RecordedPeerCalls extends PeerCallAudit {
  private readonly record = new RefusalRecord(new Logger('PeerCalls'));

  constructor(private readonly log: FactsLog) {
    super();
  }

  refused({ code, method, path, keyId, reason }: RefusedPeerCall): Promise<void> {
    return this.record.recordOrCount((unrecorded) => {
      const call = {
        code,
        method,
        path: cleanText(path, MAX_PATH_LENGTH),
        reason: cleanText(reason, MAX_REASON_LENGTH),
        keyId: keyId === null ? null : cleanText(keyId, MAX_KEY_ID_LENGTH),
      };
      return this.log.append('peer-calls', peerEvents, {
        type: 'PeerCallRefused',
        data: { ...call, unrecorded },
      });
    });
  }
}
