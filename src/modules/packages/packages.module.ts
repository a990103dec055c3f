import { Module } from '@nestjs/common';
import { PackageChangesResolver } from './api/package-changes.resolver.js';
import { PackageFieldsResolver } from './api/package-fields.resolver.js';
import { PackagesResolver } from './api/packages.resolver.js';
import { ReplicaPackageResolver } from './api/replica-package.resolver.js';
import { UploadController } from './api/upload.controller.js';
import { DeleteRemovedFileHandler } from './commands/files/delete-removed-file.handler.js';
import { LearnPackageHandler } from './commands/learn-package.handler.js';
import { PackageWriter } from './commands/package-writer.js';
import { RemovePackageHandler } from './commands/remove-package.handler.js';
import { SetPackageStageHandler } from './commands/set-package-stage.handler.js';
import { UploadPackageHandler } from './commands/upload/upload-package.handler.js';
import { PackagesReadModule } from './packages-read.module.js';
import { OnPackageRemoved } from './reactions/on-package-removed.js';

const commands = [
  PackageWriter,
  UploadPackageHandler,
  LearnPackageHandler,
  SetPackageStageHandler,
  RemovePackageHandler,
  DeleteRemovedFileHandler,
];

const resolvers = [PackagesResolver, PackageFieldsResolver, PackageChangesResolver, ReplicaPackageResolver];

@Module({
  imports: [PackagesReadModule],
  controllers: [UploadController],
  providers: [...commands, OnPackageRemoved, ...resolvers],
})
export class PackagesModule {}
