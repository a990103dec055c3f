import type { StoredEvent } from './record.js';

/**
 * The ids of the latest events, to recognise a repeated append that expects no certain revision. As in the real server
 * it is bounded, keyed by the event id alone (the same id in another stream replaces the first), and lost at a restart.
 */
export class RecentEvents {
  private readonly events = new Map<string, StoredEvent>();

  constructor(private readonly capacity: number) {}

  add(event: StoredEvent): void {
    this.events.delete(event.id);
    this.events.set(event.id, event);
    if (this.events.size <= this.capacity) return;
    for (const oldest of this.events.keys()) {
      this.events.delete(oldest);
      return;
    }
  }

  find(stream: string, id: string): StoredEvent | undefined {
    const event = this.events.get(id);
    return event?.stream === stream ? event : undefined;
  }
}
