import { Query } from '@nestjs/cqrs';
import type { ReplicaView } from '../contracts/replica-view.js';

/** The replicas of several packages in one look-up, a list a package: ours first, then by server. */
export class ReplicasQuery extends Query<readonly (readonly ReplicaView[])[]> {
  constructor(readonly packageIds: readonly string[]) {
    super();
  }
}
