import { ReplicaEntity, ReplicaPackageEntity, ReplicaServerEntity } from './replicas/replica.entity.js';

export const replicaEntities = [ReplicaEntity, ReplicaPackageEntity, ReplicaServerEntity];
