import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Refusal } from '../../../kernel/refusal.js';
import { Settings } from '../../../platform/config/settings.js';
import { answerError } from '../../../platform/http/errors/exception.filter.js';
import { requireReading, serveFile, type ProxyLocation } from '../../../platform/http/file-sender/serve-file.js';
import type { StatedRoute } from '../../../platform/http/stated-route.js';
import { RawRoutes } from '../../../platform/http/raw-routes.js';
import { FileTooShort } from '../../../platform/http/file-sender/send-ranges.js';
import { JobQueue } from '../../../ports/job-queue.port.js';
import { PackageStorage } from '../../../ports/package-storage.port.js';
import { verifyPackageJob } from '../../replication/contracts/verify-package.js';
import { DownloadDoor } from '../door/download-door.js';
import { isDownloadPath, parseDownloadPath } from './download-path.js';
import { FileCatalogue, type CatalogueEntry } from './file-catalogue.js';

const damaged = (): Refusal =>
  new Refusal(
    'UNAVAILABLE',
    'The file of this package is damaged on this server, and is being mended. Try again soon.',
  );
const notFound = (): Refusal => new Refusal('PACKAGE_NOT_FOUND', 'No package is served under this name.');

export const DOWNLOADS = {
  call: 'GET|HEAD /Packages/{filename}, /share/{filename}, /packages/{id}/{filename}',
  /** And what the protection of downloads asks for. */
  need: 'public',
} as const satisfies StatedRoute;

/** `/Packages/<filename>`, `/share/<filename>` and `/packages/<id>/<filename>`, for who may, past Nest for speed. */
@Injectable()
export class Downloads implements OnModuleInit {
  private readonly logger = new Logger('Downloads');

  constructor(
    private readonly routes: RawRoutes,
    private readonly door: DownloadDoor,
    private readonly catalogue: FileCatalogue,
    private readonly storage: PackageStorage,
    private readonly settings: Settings,
    private readonly queue: JobQueue,
  ) {}

  onModuleInit(): void {
    this.routes.add(DOWNLOADS, (request, response) => this.take(request, response));
  }

  private take(request: IncomingMessage, response: ServerResponse): boolean {
    const { url = '/' } = request;
    const query = url.indexOf('?');
    const path = query < 0 ? url : url.slice(0, query);
    if (!isDownloadPath(path)) return false;
    this.serve(path, query < 0 ? '' : url.slice(query), request, response).catch((error: unknown) =>
      answerError(error, request, response),
    );
    return true;
  }

  private async serve(path: string, query: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!requireReading(request, response)) return;
    if (!this.door.isOpen) {
      const packageId = parseDownloadPath(path)?.packageId ?? null;
      await this.door.pass({ path, query: new URLSearchParams(query), packageId }, request, response);
    }
    const entry = this.catalogue.get(path) ?? (await this.find(path));
    if (await this.send(entry, request, response)) return;
    // It may have been removed since it was remembered.
    this.catalogue.forget();
    const again = await this.find(path);
    if (await this.send(again, request, response)) return;
    this.haveVerified(again.packageId, 'is missing in the data folder');
    throw damaged();
  }

  /** Once the package is known to be damaged, it is no longer found here. */
  private haveVerified(packageId: string, what: string): void {
    this.logger.error(`The file of package ${packageId} ${what}`);
    this.queue.enqueue([verifyPackageJob(packageId)]).catch((error: unknown) => {
      this.logger.error(`Package ${packageId} cannot be verified now: ${String(error)}`);
    });
  }

  private async find(path: string): Promise<CatalogueEntry> {
    const wanted = parseDownloadPath(path);
    const entry = wanted && (await this.catalogue.find(path, wanted));
    if (!entry) throw notFound();
    if (entry === 'damaged') throw damaged();
    return entry;
  }

  private async send(entry: CatalogueEntry, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { representation, packageId } = entry;
    try {
      const open = () => this.storage.open(packageId);
      return await serveFile(request, response, { representation, open, location: this.locationOf(packageId) });
    } catch (error) {
      if (!(error instanceof FileTooShort)) throw error;
      this.haveVerified(packageId, 'has another size than it should');
      throw damaged();
    }
  }

  /** The storage keeps a package under its id; the proxy's location is that folder. */
  private locationOf(packageId: string): ProxyLocation | null {
    const { accelRedirect } = this.settings;
    return accelRedirect === null
      ? null
      : { 'by its range': `${accelRedirect}${packageId}`, whole: `${accelRedirect}whole/${packageId}` };
  }
}
