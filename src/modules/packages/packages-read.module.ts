import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ChunksProjection } from './projections/chunks/chunks.projection.js';
import { packageEntities } from './projections/entities.js';
import { PackagesProjection } from './projections/packages/packages.projection.js';
import { HeldPackagesHandler, LatestStampHandler } from './queries/boot/boot.handlers.js';
import { ChunksHandler } from './queries/chunks/chunks.handler.js';
import { PackageCountHandler, PackagesHandler } from './queries/list/packages.handler.js';
import {
  PackageByFilenameHandler,
  PackagesByIdHandler,
  ServedPackagesHandler,
} from './queries/lookup/package.handler.js';
import { PublishedFileHandler } from './queries/lookup/published-file.handler.js';
import { SupersededPackagesHandler } from './queries/lookup/superseded-packages.handler.js';

const packageProjections = [PackagesProjection, ChunksProjection];

const queryHandlers = [
  PackagesHandler,
  PackageCountHandler,
  PackageByFilenameHandler,
  PackagesByIdHandler,
  ServedPackagesHandler,
  PublishedFileHandler,
  SupersededPackagesHandler,
  ChunksHandler,
  HeldPackagesHandler,
  LatestStampHandler,
];

/** What can be asked about packages. */
@Module({ imports: [TypeOrmModule.forFeature(packageEntities)], providers: [...packageProjections, ...queryHandlers] })
export class PackagesReadModule {}
