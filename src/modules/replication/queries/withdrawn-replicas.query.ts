import { Query } from '@nestjs/cqrs';

/** A copy that this server had to withdraw because of its stage. */
export interface WithdrawnReplica {
  readonly packageId: string;
  readonly since: Date;
}

/** All of them since `since`, or all there are; whether the file is still there only the disk knows. */
export class WithdrawnReplicasQuery extends Query<readonly WithdrawnReplica[]> {
  constructor(readonly since: Date | null = null) {
    super();
  }
}
