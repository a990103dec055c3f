import type { DomainEvent, EventFamily, Json, Recorded, RecordedEvent } from '../../kernel/events.js';

/**
 * The types of objects that an event can concern, by their names in the API. A module adds its own types to this
 * interface by declaration merging, and names them in `declareEvents`.
 */
// oxlint-disable-next-line typescript/no-empty-object-type
export interface EventTargets {}
/** The type of the object that an event concerns. */
export type TargetType = keyof EventTargets;

/** The other server on which a change began, and the person who made it there. A value is null when it is unknown. */
export interface Origin {
  readonly serverId: string;
  readonly serverName: string | null;
  readonly actor: string | null;
}

/** Values of the fields of a target, by the names of the fields. */
export type Fields = { readonly [field: string]: Json };

/** The description of an event for the audit trail. `details` contains no secrets and no long lists of digests. */
export interface EventDescription {
  readonly targetType: TargetType;
  readonly targetId: string;
  /** Name or filename of the target; null when the event does not contain it. */
  readonly targetLabel: string | null;
  /** One sentence that says what happened. */
  readonly summary: string;
  readonly details: { readonly [key: string]: Json | undefined };
  /**
   * Values of the target's fields after the event. The audit trail compares them with the earlier values to find the
   * changes.
   */
  readonly now?: Fields;
  /** Earlier values of fields that no earlier event contains. */
  readonly before?: Fields;
  /**
   * The server on which the change began; null for this server. When it is left out, the source of the target is used.
   */
  readonly origin?: Origin | null;
  /** The source of the target after the event; null for this server. It does not change when this is left out. */
  readonly source?: Origin | null;
}

/** The declaration of one event family, by which the audit trail knows its events. */
interface EventDeclaration<E extends DomainEvent> {
  readonly family: EventFamily<E>;
  /** The types of all objects that events of this family can concern. */
  readonly targets: readonly TargetType[];
  /** Describes an event. @param serverId is the id of the server that recorded the event */
  describe(event: Recorded<E>, serverId: string): EventDescription;
}

type Describe = (record: RecordedEvent) => EventDescription | null;

const describers = new Map<string, Describe>();
const targets: { [T in TargetType]?: T } = {};

/**
 * Declares how the events of a family are described, and which objects they concern. It is called once for each family,
 * when the module of the family is loaded. Every event family must be declared, because the audit trail does not show
 * other events.
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

/** The types of all declared events, in the order of their declaration. */
export const describedTypes = (): readonly string[] => [...describers.keys()];

/**
 * The types of objects that the declared events concern: an object in which each type has itself as its key. Later
 * declarations add their types to the same object.
 */
export const targetTypes = (): Readonly<typeof targets> => targets;

/** Describes an event of the log; null when no module has declared its type. */
export const describeEvent = (record: RecordedEvent): EventDescription | null =>
  describers.get(record.type)?.(record) ?? null;

/** A number with a noun in the right form, such as `3 chunks` or `1 chunk`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
