import { Query } from '@nestjs/cqrs';
import type { ScrubView } from '../../contracts/scrub-view.js';

/** How far the scrub is. */
export class ScrubQuery extends Query<ScrubView> {}
