import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { PeerCallAudit } from '../../ports/peer-call-audit.port.js';
import { addressOf, type Caller } from '../auth/caller.js';
import { STRANGER, withContext } from '../context/call-context.js';
import type { KeySource } from './key-source.js';
import { PeerCallCheck } from './peer-call-check.js';
import { fieldsOf } from './request/request-parts.js';
import { PeerCallRefusal } from './signature/peer-call-refusal.js';

type PeerRequest = IncomingMessage & { originalUrl?: string };

/** Lets signed calls in. A refusal is on record before it is answered. */
@Injectable()
export class PeerCallDoor {
  constructor(
    private readonly check: PeerCallCheck,
    private readonly audit: PeerCallAudit,
  ) {}

  /** @throws PeerCallRefusal; Refusal TOO_LARGE, TOO_MANY_REQUESTS */
  async admit(request: PeerRequest, keys: KeySource): Promise<Caller> {
    try {
      return await this.check.caller(request, keys);
    } catch (error) {
      if (error instanceof PeerCallRefusal) await this.record(request, error);
      throw error;
    }
  }

  private record(request: PeerRequest, { code, reason }: PeerCallRefusal): Promise<void> {
    const path = (request.originalUrl ?? request.url ?? '').slice(0, 500);
    const call = { code, reason, method: request.method ?? '', path, keyId: claimedKeyId(request) };
    return withContext({ actor: STRANGER, address: addressOf(request) }, () => this.audit.refused(call));
  }
}

/** What the caller says to be, unchecked: for the record only. */
function claimedKeyId(request: IncomingMessage): string | null {
  const input = fieldsOf(request).find(({ name }) => name.toLowerCase() === 'signature-input')?.value;
  return /;\s*keyid="([^"]{0,200})"/.exec(input ?? '')?.[1] ?? null;
}
