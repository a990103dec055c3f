import { Query } from '@nestjs/cqrs';

/** Ids of all packages whose file belongs on our disk. */
export class HeldIdsQuery extends Query<readonly string[]> {}
