import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Refusal } from '../../kernel/errors.js';
import { Settings } from '../../platform/runtime/settings.js';
import { answerError } from '../../platform/http/errors/exception.filter.js';
import { requireReading, serveFile, type ProxyLocation } from '../../platform/http/files/serve-file.js';
import { RawRoutes, stateRoute } from '../../platform/http/raw-routes.js';
import { FileTooShort } from '../../platform/http/files/send-ranges.js';
import { JobQueue } from '../../ports/job-queue.port.js';
import { PackageStorage } from '../../ports/package-storage.port.js';
import { verifyPackageJob } from '../replication/contracts/replica-jobs.js';
import { DownloadGuard } from './download-guard.js';
import { isDownloadPath, parseDownloadPath } from './download-path.js';
import { FileCatalogue, type CatalogueEntry } from './file-catalogue.js';

const packageDamaged = (): Refusal =>
  new Refusal(
    'UNAVAILABLE',
    'The file of this package is damaged on this server and is being repaired. Try again soon.',
  );
const packageNotFound = (): Refusal => new Refusal('PACKAGE_NOT_FOUND', 'No package is served under this name.');

const DOWNLOADS = stateRoute({
  call: 'GET|HEAD /Packages/{filename}, /share/{filename}, /packages/{id}/{filename}',
  /** The protection of downloads is checked in addition. */
  need: 'public',
});

/**
 * Serves `/Packages/<filename>`, `/share/<filename>` and `/packages/<id>/<filename>` to those who may download. These
 * routes bypass Nest for speed.
 */
@Injectable()
export class DownloadRoutes implements OnModuleInit {
  private readonly logger = new Logger('Downloads');

  constructor(
    private readonly routes: RawRoutes,
    private readonly guard: DownloadGuard,
    private readonly catalogue: FileCatalogue,
    private readonly storage: PackageStorage,
    private readonly settings: Settings,
    private readonly queue: JobQueue,
  ) {}

  onModuleInit(): void {
    this.routes.add(DOWNLOADS, (request, response) => this.takeRequest(request, response));
  }

  private takeRequest(request: IncomingMessage, response: ServerResponse): boolean {
    const { url = '/' } = request;
    const query = url.indexOf('?');
    const path = query < 0 ? url : url.slice(0, query);
    if (!isDownloadPath(path)) return false;
    this.serveDownload(path, query < 0 ? '' : url.slice(query), request, response).catch((error: unknown) =>
      answerError(error, request, response),
    );
    return true;
  }

  private async serveDownload(
    path: string,
    query: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (!requireReading(request, response)) return;
    if (!this.guard.isOpen) {
      const packageId = parseDownloadPath(path)?.packageId ?? null;
      await this.guard.require({ path, query: new URLSearchParams(query), packageId }, request, response);
    }
    const entry = this.catalogue.getRemembered(path) ?? (await this.findEntry(path));
    if (await this.sendEntry(entry, request, response)) return;
    // The package may have been removed since the catalogue remembered it.
    this.catalogue.forgetAll();
    const again = await this.findEntry(path);
    if (await this.sendEntry(again, request, response)) return;
    this.requestVerification(again.packageId, 'is missing in the data folder');
    throw packageDamaged();
  }

  /** Requests a verification of the package. Once it is recorded as damaged, downloads no longer find it. */
  private requestVerification(packageId: string, what: string): void {
    this.logger.error(`The file of package ${packageId} ${what}`);
    this.queue.enqueue([verifyPackageJob(packageId)]).catch((error: unknown) => {
      this.logger.error(`Package ${packageId} cannot be verified now: ${String(error)}`);
    });
  }

  private async findEntry(path: string): Promise<CatalogueEntry> {
    const wanted = parseDownloadPath(path);
    const entry = wanted && (await this.catalogue.findEntry(path, wanted));
    if (!entry) throw packageNotFound();
    if (entry === 'damaged') throw packageDamaged();
    return entry;
  }

  private async sendEntry(entry: CatalogueEntry, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { representation, packageId } = entry;
    try {
      const open = () => this.storage.openStored(packageId);
      return await serveFile(request, response, { representation, open, location: this.locationOf(packageId) });
    } catch (error) {
      if (!(error instanceof FileTooShort)) throw error;
      this.requestVerification(packageId, 'has another size than it should');
      throw packageDamaged();
    }
  }

  /** Returns the place where a proxy finds the file of a package. Null when this server sends the file itself. */
  private locationOf(packageId: string): ProxyLocation | null {
    const { accelRedirect } = this.settings;
    const { local } = this.storage;
    if (accelRedirect === null || local === null) return null;
    const name = local.fileNameOf(packageId);
    return { 'by its range': `${accelRedirect}${name}`, whole: `${accelRedirect}whole/${name}` };
  }
}
