import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { AsProjection, type Projection } from './projection.js';

/** All projections of the program. */
@Injectable()
export class ProjectionRegistry {
  constructor(private readonly discovery: DiscoveryService) {}

  all(): readonly Projection[] {
    const found = this.discovery.getProviders({ metadataKey: AsProjection.KEY });
    // @AsProjection marks just the classes that implement Projection.
    return found.map((wrapper) => wrapper.instance as Projection);
  }

  /** Names of the projections that show any of these event types. */
  showing(types: readonly string[]): readonly string[] {
    return this.all()
      .filter((projection) => projection.eventTypes.some((type) => types.includes(type)))
      .map((projection) => projection.name);
  }
}
