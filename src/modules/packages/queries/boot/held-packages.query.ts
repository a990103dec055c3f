import { Query } from '@nestjs/cqrs';

/** Ids of the packages whose bytes belong on this server's disk. */
export class HeldPackagesQuery extends Query<ReadonlySet<string>> {}
