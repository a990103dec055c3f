import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { EntityManager } from 'typeorm';
import type { RecordedEvent } from '../../kernel/events.js';

/**
 * Folds events into tables of the read schema. The same events always give the same rows, without clock or random
 * numbers.
 */
export interface Projection {
  /** Identifies the checkpoint of the projection. */
  readonly name: string;
  /** Raise it when the same events give other rows than before. The server then builds the read models again. */
  readonly version: number;
  readonly eventTypes: readonly string[];
  /**
   * Names of the tables without a schema. The search path of the connection selects the served or the rebuilt tables.
   */
  readonly tables: readonly string[];
  /**
   * Writes the rows, in the transaction that also moves the checkpoint. Returns the keys (ids) of the rows that
   * changed.
   */
  apply(events: readonly RecordedEvent[], tx: EntityManager): Promise<readonly string[]>;
}

/** Marks a provider that implements `Projection`. */
export const AsProjection = DiscoveryService.createDecorator();

/** Finds the projections of all modules. */
@Injectable()
export class ProjectionRegistry {
  constructor(private readonly discovery: DiscoveryService) {}

  /** All projections of the program. */
  findAll(): readonly Projection[] {
    const found = this.discovery.getProviders({ metadataKey: AsProjection.KEY });
    // Only classes that implement Projection are marked with @AsProjection.
    return found.map((wrapper) => wrapper.instance as Projection);
  }

  /** Names of the projections that fold at least one of these event types. */
  namesShowing(types: readonly string[]): readonly string[] {
    return this.findAll()
      .filter((projection) => projection.eventTypes.some((type) => types.includes(type)))
      .map((projection) => projection.name);
  }
}
