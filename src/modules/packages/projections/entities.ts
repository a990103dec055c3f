import { ChunkPageEntity } from './chunks/chunk-page.entity.js';
import { PackageEntity, ServingStageEntity } from './packages/package.entity.js';

export const packageEntities = [PackageEntity, ServingStageEntity, ChunkPageEntity];
