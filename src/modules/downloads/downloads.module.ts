import { Module } from '@nestjs/common';
import { provideLiveView } from '../../platform/eventsourcing/live-views.js';
import { DownloadProtectionResolver } from './download-protection.resolver.js';
import { CreateDownloadUrlHandler } from './create-download-url.command.js';
import { BasicAuth, DownloadPasswords } from './basic-auth.js';
import { SetDownloadProtectionHandler } from './set-download-protection.command.js';
import { DownloadGuard } from './download-guard.js';
import { DownloadProtectionHandler, LiveProtection } from './download-protection.query.js';
import { SignedUrls } from './signed-urls.js';
import { DownloadRoutes } from './download-routes.js';
import { FileCatalogue } from './file-catalogue.js';
import './downloads.declarations.js';

/** The protection is known before the first download is answered. */
const liveProtection = provideLiveView(LiveProtection, [], () => new LiveProtection());
const commandProviders = [DownloadPasswords, SetDownloadProtectionHandler, CreateDownloadUrlHandler];
const guardProviders = [liveProtection, BasicAuth, SignedUrls, DownloadGuard];

/** Serves packages to endpoints. */
@Module({
  providers: [
    ...commandProviders,
    ...guardProviders,
    DownloadProtectionHandler,
    DownloadProtectionResolver,
    DownloadRoutes,
    FileCatalogue,
  ],
})
export class DownloadsModule {}
