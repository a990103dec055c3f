import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, Logger } from '@nestjs/common';
import { Refusal } from '../../../kernel/refusal.js';
import { STRANGER, withContext } from '../../../platform/context/call-context.js';
import { FactsLog } from '../../../platform/cqrs/facts-log.js';
import { callerAddress } from '../../../platform/http/forwarded/caller-address.js';
import { RefusalRecord } from '../../../platform/limits/refusal-record.js';
import { downloadEvents } from '../contracts/download.events.js';
import { basicCredentials, BasicCheck } from './basic-credentials.js';
import { LiveProtection } from '../projections/live-protection.js';
import { SignedUrls } from '../commands/signed-urls.js';

/** RFC 7617. */
const CHALLENGE = 'Basic realm="Packages", charset="UTF-8"';
/** Tells a proxy that remembers decisions that this one is for this request alone. */
const UNCACHED = 'X-Odst-Uncached';
const MAX_PATH = 200;

/** What is asked for; `packageId` where the address names one. */
export interface AtTheDoor {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly packageId: string | null;
}

/** Lets in who may download. A valid signed address is let in whatever else is asked for. */
@Injectable()
export class DownloadDoor {
  private readonly refusals = new RefusalRecord(new Logger('Downloads'));

  constructor(
    private readonly protection: LiveProtection,
    private readonly basic: BasicCheck,
    private readonly urls: SignedUrls,
    private readonly log: FactsLog,
  ) {}

  get isOpen(): boolean {
    return this.protection.current.mode === 'NONE';
  }

  /** @throws Refusal UNAUTHENTICATED, FORBIDDEN, DOWNLOAD_URL_EXPIRED, TOO_MANY_REQUESTS */
  async pass(wanted: AtTheDoor, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.isOpen) return;
    response.setHeader(UNCACHED, '1');
    if (wanted.query.has('signature')) return this.bySignature(wanted, request);
    const { mode } = this.protection.current;
    if (mode === 'BASIC') return this.byPassword(wanted, request, response);
    if (mode === 'NETWORK' && this.protection.networks.include(callerAddress(request))) return;
    const reason =
      mode === 'NETWORK'
        ? 'This address is in none of the networks that may download.'
        : 'Only signed addresses can be downloaded here.';
    await this.refuse(
      wanted,
      request,
      null,
      new Refusal('FORBIDDEN', `${reason} Ask for one that \`createDownloadUrl\` makes.`),
    );
  }

  private async byPassword(wanted: AtTheDoor, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const shown = basicCredentials(request.headers.authorization);
    if (shown && (await this.basic.passes(shown, this.protection.current, callerAddress(request)))) return;
    response.setHeader('WWW-Authenticate', CHALLENGE);
    const refusal = new Refusal(
      'UNAUTHENTICATED',
      "Downloads need the name and password of this server's read-only account.",
    );
    // Every client asks without a password first.
    if (!shown) throw refusal;
    await this.refuse(wanted, request, shown.username, refusal);
  }

  private async bySignature(wanted: AtTheDoor, request: IncomingMessage): Promise<void> {
    const { query, packageId } = wanted;
    const verdict =
      packageId === null ? 'wrong' : await this.urls.check(packageId, query.get('expires'), query.get('signature'));
    if (verdict === 'valid') return;
    const refusal =
      verdict === 'expired'
        ? new Refusal('DOWNLOAD_URL_EXPIRED', 'This address has expired. Ask for a new one.')
        : new Refusal('FORBIDDEN', 'This address is not signed by this server, or was changed.');
    await this.refuse(wanted, request, null, refusal);
  }

  private async refuse(
    { path }: AtTheDoor,
    request: IncomingMessage,
    username: string | null,
    refusal: Refusal,
  ): Promise<never> {
    const data = {
      path: path.slice(0, MAX_PATH),
      username: username?.slice(0, MAX_PATH) ?? null,
      reason: refusal.message,
    };
    await withContext({ actor: STRANGER, address: callerAddress(request) }, () =>
      this.refusals.note((unrecorded) =>
        this.log.append('download-refusals', downloadEvents, {
          type: 'DownloadRefused',
          data: { ...data, unrecorded },
        }),
      ),
    );
    throw refusal;
  }
}
