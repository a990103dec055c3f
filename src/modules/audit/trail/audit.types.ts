import { Field, HideField, ID, InputType, ObjectType, registerEnumType } from '@nestjs/graphql';
import type { Actor, Json } from '../../../kernel/events.js';
import { connectionOf, edgeOf } from '../../../platform/graphql/common.types.js';
import { JsonObject, JsonValue } from '../../../platform/graphql/scalars.js';
import { type TargetType, targetTypes } from '../../../platform/eventsourcing/event-descriptions.js';
import { enumOf } from '../../../platform/graphql/enum-of.js';

@ObjectType({ description: 'A change of one field of the target.' })
class AuditChange {
  @Field(() => String, { description: 'The field, such as `stage`, `roles` or `url`.' })
  field!: string;

  @Field(() => JsonValue, { nullable: true, description: 'The value before; null when the field had none.' })
  before!: Json;

  @Field(() => JsonValue, {
    nullable: true,
    description: 'The value afterwards; null when the field has none any more.',
  })
  after!: Json;
}

@ObjectType({ description: 'The other server on which something began, and who began it.' })
class AuditOrigin {
  @Field(() => ID)
  serverId!: string;

  @Field(() => String, { nullable: true, description: 'Null when this server does not know it.' })
  serverName!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Name of the actor on that server; null when this server does not know it.',
  })
  actor!: string | null;
}

/** The targets that the modules declare, as GraphQL names them. */
const TargetTypeName = targetTypes();

const ACTOR_KINDS = ['account', 'token', 'peer', 'system', 'stranger'] as const;
const ActorKind = enumOf('ActorKind', ACTOR_KINDS, {
  type: 'Kinds of actors. A stranger has not signed in.',
});
registerEnumType(TargetTypeName, { name: 'AuditTargetType', description: 'Kinds of targets.' });

@ObjectType({ description: 'The actor of an entry.' })
class AuditActor {
  @Field(() => ActorKind)
  kind!: Actor['kind'];

  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;
}

@ObjectType({ description: 'The target of an entry.' })
class AuditTarget {
  @Field(() => TargetTypeName)
  type!: TargetType;

  @Field(() => ID)
  id!: string;

  @Field(() => String, { nullable: true, description: 'Filename or name.' })
  label!: string | null;
}

@ObjectType({ description: 'An entry of the audit trail: one event of the event log.' })
export class AuditEntry {
  @Field(() => ID, { description: 'Id of the event.' })
  id!: string;

  @HideField()
  seq!: number;

  @Field(() => String, { description: 'Type of the event, such as `PackagePublished`.' })
  kind!: string;

  @Field(() => Date)
  recordedAt!: Date;

  @Field(() => AuditActor)
  actor!: AuditActor;

  @Field(() => String, {
    nullable: true,
    description:
      'IP address of the caller; `unknown` when a proxy did not name it in a way that can be read; null when the server acted on its own.',
  })
  address!: string | null;

  @Field(() => AuditTarget)
  target!: AuditTarget;

  @Field(() => String, { description: 'What happened, as a sentence.' })
  summary!: string;

  @Field(() => JsonObject, { description: 'Data of the event without secrets and lists of digests.' })
  details!: { readonly [key: string]: Json | undefined };

  @Field(() => [AuditChange], { description: 'Fields that changed, with old and new value.' })
  changes!: readonly AuditChange[];

  @Field(() => AuditOrigin, { nullable: true, description: 'Where it began, if that was on another server.' })
  origin!: AuditOrigin | null;

  @Field(() => ID, { description: 'The server that recorded it.' })
  serverId!: string;

  @Field(() => ID, { description: 'The same for all entries that result from one call.' })
  correlationId!: string;

  @Field(() => ID, { nullable: true, description: 'Id of the event that caused this one.' })
  causationId!: string | null;
}

@InputType({ description: 'Selects entries. A field that is left out does not restrict the selection.' })
export class AuditFilter {
  @Field(() => [String], { nullable: true, description: 'One or more event types.' })
  kinds?: string[] | null;

  @Field(() => String, { nullable: true, description: 'Id or name of the actor.' })
  actor?: string | null;

  @Field(() => String, { nullable: true, description: 'Id of the target.' })
  target?: string | null;

  @Field(() => Date, { nullable: true, description: 'Entries that were recorded at this time or later.' })
  since?: Date | null;

  @Field(() => Date, { nullable: true, description: 'Entries that were recorded before this time.' })
  until?: Date | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Text in the summary, target, names or address, upper or lower case. A search for three or more characters is fast.',
  })
  text?: string | null;
}

const AuditEntryEdge = edgeOf(AuditEntry, 'AuditEntry');

@ObjectType({ description: 'A page of the audit trail, newest first.' })
export class AuditEntryConnection extends connectionOf(AuditEntryEdge) {}
