import { Field, HideField, ID, InputType, ObjectType, registerEnumType } from '@nestjs/graphql';
import type { Actor, Json } from '../../../kernel/events.js';
import { connectionOf, edgeOf } from '../../../platform/graphql/common.types.js';
import { JsonObject, JsonValue } from '../../../platform/graphql/scalars.js';
import { type TargetType, targetTypes } from '../../../platform/eventsourcing/event-descriptions.js';

@ObjectType({ description: 'One thing about a target that was changed.' })
class AuditChange {
  @Field(() => String, { description: 'What of it, such as `stage`, `roles` or `url`.' })
  field!: string;

  @Field(() => JsonValue, { nullable: true, description: 'Null when there was nothing.' })
  before!: Json;

  @Field(() => JsonValue, { nullable: true, description: 'Null when there is nothing any more.' })
  after!: Json;
}

@ObjectType({ description: 'On which other server something began, and by whom.' })
class AuditOrigin {
  @Field(() => ID)
  serverId!: string;

  @Field(() => String, { nullable: true, description: 'Null when this server was not told.' })
  serverName!: string | null;

  @Field(() => String, { nullable: true, description: 'Name of who did it there; null when this server was not told.' })
  actor!: string | null;
}

enum ActorKind {
  account = 'account',
  token = 'token',
  peer = 'peer',
  system = 'system',
  stranger = 'stranger',
}

/** The targets that the modules declare, as GraphQL names them. */
const TargetTypeName = targetTypes();

registerEnumType(ActorKind, {
  name: 'ActorKind',
  description: 'Who can do something: a stranger has not said who they are.',
});
registerEnumType(TargetTypeName, { name: 'AuditTargetType', description: 'What something can be done to.' });

@ObjectType({ description: 'Who did something.' })
class AuditActor {
  @Field(() => ActorKind)
  kind!: Actor['kind'];

  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;
}

@ObjectType({ description: 'What something was done to.' })
class AuditTarget {
  @Field(() => TargetTypeName)
  type!: TargetType;

  @Field(() => ID)
  id!: string;

  @Field(() => String, { nullable: true, description: 'Filename or name.' })
  label!: string | null;
}

@ObjectType({ description: 'One thing that happened: an event of the log.' })
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

  @Field(() => String, { nullable: true, description: 'IP address of the call; none when the server acted by itself.' })
  address!: string | null;

  @Field(() => AuditTarget)
  target!: AuditTarget;

  @Field(() => String, { description: 'What happened, in words.' })
  summary!: string;

  @Field(() => JsonObject, { description: 'Data of the event, without secrets and without lists of digests.' })
  details!: { readonly [key: string]: Json | undefined };

  @Field(() => [AuditChange], { description: 'What is another than before.' })
  changes!: readonly AuditChange[];

  @Field(() => AuditOrigin, { nullable: true, description: 'Where it began, when that was another server.' })
  origin!: AuditOrigin | null;

  @Field(() => ID, { description: 'The server that recorded it.' })
  serverId!: string;

  @Field(() => ID, { description: 'The same for everything that came of one call.' })
  correlationId!: string;

  @Field(() => ID, { nullable: true, description: 'Id of the event that it came of.' })
  causationId!: string | null;
}

@InputType({ description: 'Which entries to show. What is left out does not restrict.' })
export class AuditFilter {
  @Field(() => [String], { nullable: true, description: 'One or more event types.' })
  kinds?: string[] | null;

  @Field(() => String, { nullable: true, description: 'Id or name of who did it.' })
  actor?: string | null;

  @Field(() => String, { nullable: true, description: 'Id of what it was done to.' })
  target?: string | null;

  @Field(() => Date, { nullable: true, description: 'From this time on.' })
  since?: Date | null;

  @Field(() => Date, { nullable: true, description: 'Before this time.' })
  until?: Date | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Text in the summary, target, names or address, in any case. Of three characters or more it is found fast.',
  })
  text?: string | null;
}

const AuditEntryEdge = edgeOf(AuditEntry, 'AuditEntry');

@ObjectType({ description: 'A page of the audit trail, newest first.' })
export class AuditEntryConnection extends connectionOf(AuditEntryEdge) {}
