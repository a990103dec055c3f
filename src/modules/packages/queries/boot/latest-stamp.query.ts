import { Query } from '@nestjs/cqrs';
import type { Stamp } from '../../../../kernel/hybrid-clock.js';

/** The latest stamp of any register; this server's clock has to go on from there. */
export class LatestStampQuery extends Query<Stamp | null> {}
