import { Field, InputType, ObjectType } from '@nestjs/graphql';
import { type FlowPolicy, DIRECTIONS, WEEKDAYS, type Weekday } from '../../../kernel/transfer-policy.js';
import { ByteCount } from '../../../platform/graphql/scalars.js';
import { textArgument } from '../../../platform/graphql/arguments.js';
import type { FlowView } from '../contracts/peer-view.js';
import { enumOf } from '../../../platform/graphql/enum-of.js';

export const PeerDirection = enumOf('PeerDirection', DIRECTIONS, {
  type: 'What this server exchanges with a peer, as this server sees it.',
  values: {
    SEND_RECEIVE: 'The peer gets packages from this server, and this server takes those of the peer.',
    SEND_ONLY: 'The peer gets packages from this server; nothing is taken from it.',
    RECEIVE_ONLY: 'This server takes packages from the peer, which gets nothing from this server.',
  },
});
export const WeekdayName = enumOf('Weekday', WEEKDAYS);

const FROM = 'HH:MM, 00:00 to 23:59.';
const TO = 'HH:MM, 00:00 to 24:00. Before `from`: on the next day.';
const LIMIT = 'Bytes per second of packages, for each process of this server; null for no limit.';

@ObjectType({ description: 'A part of the day, in the time zone of the server.' })
export class TimeWindow {
  @Field(() => [WeekdayName], { description: 'The days on which it begins.' })
  days!: readonly Weekday[];

  @Field(() => String, { description: FROM })
  from!: string;

  @Field(() => String, { description: TO })
  to!: string;
}

@ObjectType({ description: 'One direction of the exchange with a peer.' })
export class PeerFlow implements FlowView {
  @Field(() => ByteCount, { nullable: true, description: LIMIT })
  bytesPerSecond!: number | null;

  @Field(() => [TimeWindow], { description: 'When packages may pass; always when there are none.' })
  windows!: readonly TimeWindow[];

  @Field(() => Boolean, { description: 'May packages pass now?' })
  openNow!: boolean;

  @Field(() => Date, {
    nullable: true,
    description: 'When the next time window begins; null when it is open now, or never opens.',
  })
  opensAt!: Date | null;
}

@InputType({ description: 'A part of the day, in the time zone of the server.' })
export class TimeWindowInput {
  @Field(() => [WeekdayName], { description: 'The days on which it begins.' })
  days!: readonly Weekday[];

  @Field(() => String, { description: FROM })
  from!: string;

  @Field(() => String, { description: TO })
  to!: string;
}

@InputType({ description: 'A change to one direction of the exchange with a peer. What is left out stays.' })
export class PeerFlowInput {
  @Field(() => ByteCount, { nullable: true, description: `${LIMIT} At least 16384.` })
  bytesPerSecond?: number | null;

  @Field(() => [TimeWindowInput], { nullable: true, description: 'All windows, at most 50; an empty list for always.' })
  windows?: readonly TimeWindowInput[] | null;
}

/** The change as commands take it; null for a list is the same as leaving it out. */
export function flowChange(name: string, input: PeerFlowInput | null | undefined): Partial<FlowPolicy> {
  const { bytesPerSecond, windows } = input ?? {};
  const checked = windows?.map(({ days, from, to }) => ({
    days,
    from: textArgument(name, from),
    to: textArgument(name, to),
  }));
  return { ...(bytesPerSecond !== undefined && { bytesPerSecond }), ...(checked && { windows: checked }) };
}
