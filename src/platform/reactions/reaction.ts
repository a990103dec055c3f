import { DiscoveryService } from '@nestjs/core';
import type { RecordedEvent } from '../../kernel/event.js';

/** Turns a recorded event into a job or a command. Delivered in order, at least once: a repeat must change nothing. */
export interface Reaction {
  /** Names the durable cursor; never reuse one for something else. */
  readonly name: string;
  readonly eventTypes: readonly string[];
  react(event: RecordedEvent): Promise<void>;
}

/** Marks a provider that implements Reaction. */
export const AsReaction = DiscoveryService.createDecorator();
