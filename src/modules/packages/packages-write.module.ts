import { Module } from '@nestjs/common';
import { UploadController } from './api/upload.controller.js';
import { DeleteRemovedFileHandler } from './commands/files/delete-removed-file.handler.js';
import { RecordPackageDamageHandler } from './commands/files/record-package-damage.handler.js';
import { LearnPackageHandler } from './commands/learn-package.handler.js';
import { PackageWriter } from './commands/package-writer.js';
import { RemovePackageHandler } from './commands/remove-package.handler.js';
import { SetPackageStageHandler } from './commands/set-package-stage.handler.js';
import { UploadPackageHandler } from './commands/upload/upload-package.handler.js';
import { SupersedePackageHandler } from './commands/supersede/supersede-package.handler.js';
import { DeleteRemovedFiles } from './reactions/on-package-removed.js';

const commandProviders = [
  PackageWriter,
  UploadPackageHandler,
  LearnPackageHandler,
  SetPackageStageHandler,
  RemovePackageHandler,
  DeleteRemovedFileHandler,
  SupersedePackageHandler,
  RecordPackageDamageHandler,
];

/** All that changes packages; the reading side is `PackagesReadModule`. */
@Module({ controllers: [UploadController], providers: [...commandProviders, DeleteRemovedFiles] })
export class PackagesWriteModule {}
