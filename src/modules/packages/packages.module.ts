import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PackageChangesResolver } from './api/package-changes.resolver.js';
import { PackageFieldsResolver } from './api/package-fields.resolver.js';
import { PackageSignaturesResolver } from './api/package-signatures.resolver.js';
import { PackagesResolver } from './api/packages.resolver.js';
import { FactRights } from './facts/fact-rights.js';
import { FactSigner } from './facts/fact-signer.js';
import { FactTrust } from './facts/fact-trust.js';
import { LearnPackageHandler, RecordPackageDamageHandler } from './facts/package-reports.handler.js';
import { SignOwnFacts } from './facts/sign-own-facts.js';
import { RemovePackageHandler, SetPackageStageHandler } from './lifecycle/change-package.command.js';
import { DeleteRemovedFileHandler, DeleteRemovedFiles } from './lifecycle/delete-removed-file.reaction.js';
import { PackageWriter } from './lifecycle/package-writer.js';
import { RecordSuperseded, SupersedePackageHandler } from './lifecycle/record-superseded.reaction.js';
import { HeldPackagesHandler, UnsignedPackagesHandler } from './read-model/boot.query.js';
import { ChunkPageEntity } from './read-model/chunk-page.entity.js';
import { ChunksProjection } from './read-model/chunks.projection.js';
import { ChunksHandler } from './read-model/chunks.query.js';
import { PackageCountHandler, PackagesHandler } from './read-model/package-list.query.js';
import {
  FilenameHoldersHandler,
  NamesakesHandler,
  PackageByFilenameHandler,
  PackagesByIdHandler,
  PublishedFileHandler,
  ServedPackagesHandler,
} from './read-model/package-lookup.query.js';
import { PackageEntity, ServingStageEntity } from './read-model/package.entity.js';
import { PackagesProjection } from './read-model/packages.projection.js';
import { PackageSignaturesHandler } from './read-model/package-signatures.query.js';
import { RefusedFactEntity } from './read-model/refused-fact.entity.js';
import { RefusedFactsProblem } from './read-model/refused-facts.problem.js';
import { RefusedFactsProjection } from './read-model/refused-facts.projection.js';
import { SupersededPackagesHandler } from './read-model/superseded-packages.query.js';
import { KnownPackages } from './upload/known-packages.js';
import { UploadPackageHandler } from './upload/upload-package.command.js';
import { UploadController } from './upload/upload.controller.js';
import './packages.declarations.js';

const packageEntities = [PackageEntity, ServingStageEntity, ChunkPageEntity, RefusedFactEntity];

const packageProjections = [PackagesProjection, ChunksProjection, RefusedFactsProjection];

const queryHandlers = [
  PackagesHandler,
  PackageCountHandler,
  FilenameHoldersHandler,
  NamesakesHandler,
  PackageByFilenameHandler,
  PackagesByIdHandler,
  ServedPackagesHandler,
  PublishedFileHandler,
  SupersededPackagesHandler,
  ChunksHandler,
  HeldPackagesHandler,
  UnsignedPackagesHandler,
];

/** Projections and queries of packages. */
@Module({ imports: [TypeOrmModule.forFeature(packageEntities)], providers: [...packageProjections, ...queryHandlers] })
export class PackagesReadModule {}

const commandProviders = [
  PackageWriter,
  FactSigner,
  FactTrust,
  FactRights,
  UploadPackageHandler,
  LearnPackageHandler,
  SetPackageStageHandler,
  RemovePackageHandler,
  DeleteRemovedFileHandler,
  SupersedePackageHandler,
  RecordPackageDamageHandler,
];

/** Everything that changes packages, and what decides whom to believe. The reading side is `PackagesReadModule`. */
@Module({
  controllers: [UploadController],
  providers: [...commandProviders, DeleteRemovedFiles, KnownPackages],
  exports: [PackageWriter, FactSigner, FactTrust],
})
export class PackagesWriteModule {}

const resolvers = [PackagesResolver, PackageFieldsResolver, PackageSignaturesResolver, PackageChangesResolver];

@Module({
  imports: [PackagesReadModule, PackagesWriteModule],
  providers: [...resolvers, PackageSignaturesHandler, RefusedFactsProblem, RecordSuperseded, SignOwnFacts],
})
export class PackagesModule {}
