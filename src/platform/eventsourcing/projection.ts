import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { EntityManager } from 'typeorm';
import type { RecordedEvent } from '../../kernel/events.js';

/** Folds events into tables of the read schema. The same events give the same rows: no clock, no randomness. */
export interface Projection {
  readonly name: string;
  /** Raise it when the rows come out differently; the server then rebuilds beside the old tables. */
  readonly version: number;
  readonly eventTypes: readonly string[];
  /** Names without a schema: the connection's search path says whether it is the live one or a rebuild. */
  readonly tables: readonly string[];
  /** Runs in the transaction that also moves the checkpoint. Returns the keys (ids) of the rows that changed. */
  apply(events: readonly RecordedEvent[], tx: EntityManager): Promise<readonly string[]>;
}

/** Marks a provider that implements Projection. */
export const AsProjection = DiscoveryService.createDecorator();

/** All projections of the program. */
@Injectable()
export class ProjectionRegistry {
  constructor(private readonly discovery: DiscoveryService) {}

  findAll(): readonly Projection[] {
    const found = this.discovery.getProviders({ metadataKey: AsProjection.KEY });
    // @AsProjection marks just the classes that implement Projection.
    return found.map((wrapper) => wrapper.instance as Projection);
  }

  /** Names of the projections that show any of these event types. */
  namesShowing(types: readonly string[]): readonly string[] {
    return this.findAll()
      .filter((projection) => projection.eventTypes.some((type) => types.includes(type)))
      .map((projection) => projection.name);
  }
}
