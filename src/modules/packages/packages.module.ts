import { Module } from '@nestjs/common';
import { PackageChangesResolver } from './api/package-changes.resolver.js';
import { PackageFieldsResolver } from './api/package-fields.resolver.js';
import { PackagesResolver } from './api/packages.resolver.js';
import { ReplicaPackageResolver } from './api/replica-package.resolver.js';
import { RecordSuperseded } from './reactions/record-superseded.js';
import { PackagesReadModule } from './packages-read.module.js';
import { PackagesWriteModule } from './packages-write.module.js';

const resolvers = [PackagesResolver, PackageFieldsResolver, PackageChangesResolver, ReplicaPackageResolver];

@Module({
  imports: [PackagesReadModule, PackagesWriteModule],
  providers: [...resolvers, RecordSuperseded],
})
export class PackagesModule {}
