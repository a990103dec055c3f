import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, Logger } from '@nestjs/common';
import { Refusal } from '../../kernel/errors.js';
import { cleanText } from '../../kernel/input-text.js';
import { STRANGER, withContext } from '../../platform/runtime/call-context.js';
import { FactsLog } from '../../platform/eventsourcing/command-runner.js';
import { callerAddress } from '../../platform/http/caller-address.js';
import { RefusalRecord } from '../../platform/limits/refusal-record.js';
import { downloadEvents } from './contracts/download.events.js';
import { parseBasicCredentials, BasicAuth } from './basic-auth.js';
import { LiveProtection } from './download-protection.query.js';
import { SignedUrls } from './signed-urls.js';

/** RFC 7617. */
const BASIC_CHALLENGE = 'Basic realm="Packages", charset="UTF-8"';
/** Tells a caching proxy that this decision holds only for this request. */
const UNCACHED_HEADER = 'X-Odst-Uncached';
const MAX_RECORDED_LENGTH = 200;

/** The target of a download. `packageId` is null when the address does not name a package. */
interface DownloadRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly packageId: string | null;
}

/** Decides who may download. A valid signed address is accepted in every mode. */
@Injectable()
export class DownloadGuard {
  private readonly refusals = new RefusalRecord(new Logger('Downloads'));

  constructor(
    private readonly protection: LiveProtection,
    private readonly basic: BasicAuth,
    private readonly urls: SignedUrls,
    private readonly log: FactsLog,
  ) {}

  /** True when everybody may download. */
  get isOpen(): boolean {
    return this.protection.current.mode === 'NONE';
  }

  /**
   * Returns when the caller may download.
   * @throws Refusal UNAUTHENTICATED, FORBIDDEN, DOWNLOAD_URL_EXPIRED, TOO_MANY_REQUESTS
   */
  async require(wanted: DownloadRequest, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.isOpen) return;
    response.setHeader(UNCACHED_HEADER, '1');
    if (wanted.query.has('signature')) return this.requireSignature(wanted, request);
    const { mode } = this.protection.current;
    if (mode === 'BASIC') return this.requirePassword(wanted, request, response);
    if (mode === 'NETWORK' && this.protection.networks.include(callerAddress(request))) return;
    const reason =
      mode === 'NETWORK'
        ? 'Downloads are not allowed from the network of this client.'
        : 'Downloads from this server need a signed address.';
    await this.recordRefusal(
      wanted,
      request,
      null,
      new Refusal('FORBIDDEN', `${reason} \`createDownloadUrl\` creates a signed address.`),
    );
  }

  private async requirePassword(
    wanted: DownloadRequest,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const shown = parseBasicCredentials(request.headers.authorization);
    if (shown && (await this.basic.checkCredentials(shown, this.protection.current, callerAddress(request)))) return;
    response.setHeader('WWW-Authenticate', BASIC_CHALLENGE);
    const refusal = new Refusal(
      'UNAUTHENTICATED',
      'Downloads need the name and password of the read-only account of this server.',
    );
    // Every client calls without a password first.
    if (!shown) throw refusal;
    await this.recordRefusal(wanted, request, shown.username, refusal);
  }

  private async requireSignature(wanted: DownloadRequest, request: IncomingMessage): Promise<void> {
    const { query, packageId } = wanted;
    const verdict =
      packageId === null
        ? 'wrong'
        : await this.urls.checkSignature(packageId, query.get('expires'), query.get('signature'));
    if (verdict === 'valid') return;
    const refusal =
      verdict === 'expired'
        ? new Refusal('DOWNLOAD_URL_EXPIRED', 'This address has expired. Ask for a new address.')
        : new Refusal('FORBIDDEN', 'This address was not signed by this server, or it was changed.');
    await this.recordRefusal(wanted, request, null, refusal);
  }

  private async recordRefusal(
    { path }: DownloadRequest,
    request: IncomingMessage,
    username: string | null,
    refusal: Refusal,
  ): Promise<never> {
    const data = {
      path: cleanText(path, MAX_RECORDED_LENGTH),
      username: username === null ? null : cleanText(username, MAX_RECORDED_LENGTH),
      reason: refusal.message,
    };
    await withContext({ actor: STRANGER, address: callerAddress(request) }, () =>
      this.refusals.recordOrCount((unrecorded) =>
        this.log.append('download-refusals', downloadEvents, {
          type: 'DownloadRefused',
          data: { ...data, unrecorded },
        }),
      ),
    );
    throw refusal;
  }
}
