import { Module } from '@nestjs/common';
import { LiveViews } from '../../platform/live-view/live-views.js';
import { DownloadProtectionResolver } from './api/download-protection.resolver.js';
import { CreateDownloadUrlHandler } from './commands/create-download-url.handler.js';
import { DownloadPasswords } from './commands/download-passwords.js';
import { SetDownloadProtectionHandler } from './commands/set-download-protection.handler.js';
import { BasicAuth } from './door/basic-credentials.js';
import { DownloadGuard } from './door/download-door.js';
import { LiveProtection } from './projections/live-protection.js';
import { SignedUrls } from './commands/signed-urls.js';
import { DownloadProtectionHandler } from './queries/download-protection.query.js';
import { DownloadRoutes } from './serving/downloads.js';
import { FileCatalogue } from './serving/file-catalogue.js';

/** Known before the first download is answered. */
const liveProtection = {
  provide: LiveProtection,
  inject: [LiveViews],
  async useFactory(views: LiveViews) {
    const protection = new LiveProtection();
    await views.follow(protection);
    return protection;
  },
};
const commandProviders = [DownloadPasswords, SetDownloadProtectionHandler, CreateDownloadUrlHandler];
const guardProviders = [liveProtection, BasicAuth, SignedUrls, DownloadGuard];

/** Endpoints get their packages here. */
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
