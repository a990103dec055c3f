import type { DomainEvent, EventFamily, Json, Recorded, RecordedEvent } from '../../kernel/events.js';

/**
 * What an event can be about, by the names that the API has for it. A module adds its own to this interface by
 * declaration merging, and names them in `declareEvents`.
 */
// oxlint-disable-next-line typescript/no-empty-object-type
export interface EventTargets {}
export type TargetType = keyof EventTargets;

/** On which other server something began, and by whom. Null for what is not known. */
export interface Origin {
  readonly serverId: string;
  readonly serverName: string | null;
  readonly actor: string | null;
}

export type Fields = { readonly [field: string]: Json };

/** An event in words, for the audit trail. `details` holds neither secrets nor long lists of digests. */
export interface EventDescription {
  readonly targetType: TargetType;
  readonly targetId: string;
  /** Name or filename of the target, when the event carries it. */
  readonly targetLabel: string | null;
  /** One sentence that says what happened. */
  readonly summary: string;
  readonly details: { readonly [key: string]: Json | undefined };
  /** Values of the target's fields from now on. They are compared with the earlier values to find what changed. */
  readonly now?: Fields;
  /** Earlier values that are known without an earlier event. */
  readonly before?: Fields;
  /** Where it began; null for this server. When left out, it is where the target came from. */
  readonly origin?: Origin | null;
  /** Where the target comes from, from now on. */
  readonly source?: Origin | null;
}

interface EventDeclaration<E extends DomainEvent> {
  readonly family: EventFamily<E>;
  /** All that events of this family can be about. */
  readonly targets: readonly TargetType[];
  /** @param serverId the server that recorded the event */
  describe(event: Recorded<E>, serverId: string): EventDescription;
}

type Describe = (record: RecordedEvent) => EventDescription | null;

const describers = new Map<string, Describe>();
const targets: { [T in TargetType]?: T } = {};

/**
 * Declares how the events of a family are told, and what they are about. Called once for each family, when its module is
 * loaded. Every event that is recorded is declared: what is not declared does not appear in the audit trail.
 * @throws Error when an event type is declared twice
 */
export function declareEvents<E extends DomainEvent>({ family, targets: about, describe }: EventDeclaration<E>): void {
  const describeRecord = (record: RecordedEvent): EventDescription | null => {
    const event = family.read(record);
    return event && describe(event, record.metadata.serverId);
  };
  for (const type of family.types) {
    if (describers.has(type)) throw new Error(`The event ${type} is declared twice.`);
    describers.set(type, describeRecord);
  }
  for (const target of about) Object.assign(targets, { [target]: target });
}

/** Types of all events that are declared, in the order of declaration. */
export const describedTypes = (): readonly string[] => [...describers.keys()];

/** What the declared events are about: every name as key and value, also when it is declared later. */
export const targetTypes = (): Readonly<typeof targets> => targets;

/** What an event of the log tells; null for one that no module has declared. */
export const describeEvent = (record: RecordedEvent): EventDescription | null =>
  describers.get(record.type)?.(record) ?? null;

/** `3 chunks`, `1 chunk`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
