import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../kernel/errors.js';
import { FactsLog } from '../../platform/eventsourcing/command-runner.js';
import { Clock } from '../../platform/runtime/clock.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { downloadEvents } from './contracts/download.events.js';
import { SignedUrls } from './signed-urls.js';

/** Creates an address under which everybody who has it can download a package until it expires. @throws Refusal INVALID_REQUEST */
export class CreateDownloadUrl extends Command<DownloadUrl> {
  constructor(
    readonly packageId: string,
    readonly filename: string,
    readonly seconds: number,
  ) {
    super();
  }
}

interface DownloadUrl {
  readonly url: string;
  readonly expiresAt: Date;
}

/** 7 days. Longer access needs the account for downloads. */
const MAX_LIFETIME_SECONDS = 7 * 24 * 3600;

/** Records the address before it is given out. */
@CommandHandler(CreateDownloadUrl)
export class CreateDownloadUrlHandler implements ICommandHandler<CreateDownloadUrl> {
  constructor(
    private readonly urls: SignedUrls,
    private readonly identity: ServerIdentity,
    private readonly clock: Clock,
    private readonly log: FactsLog,
  ) {}

  async execute({ packageId, filename, seconds }: CreateDownloadUrl): Promise<DownloadUrl> {
    if (seconds < 1 || seconds > MAX_LIFETIME_SECONDS) {
      throw new Refusal('INVALID_REQUEST', `\`expiresInSeconds\` must be from 1 to ${MAX_LIFETIME_SECONDS} (7 days).`);
    }
    const expiresAt = new Date((Math.floor(this.clock.now().getTime() / 1000) + seconds) * 1000);
    const query = await this.urls.signUrl(packageId, expiresAt);
    const data = { packageId, filename, expiresAt: expiresAt.toISOString() };
    await this.log.append('download-urls', downloadEvents, { type: 'DownloadUrlCreated', data });
    return { url: `${this.identity.url}/packages/${packageId}/${encodeURIComponent(filename)}?${query}`, expiresAt };
  }
}
