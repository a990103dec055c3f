import { Field, InputType, ObjectType } from '@nestjs/graphql';
import { type FlowPolicy, DIRECTIONS, WEEKDAYS, type Weekday } from '../../../kernel/transfer-policy.js';
import { ByteCount } from '../../../platform/graphql/scalars.js';
import { textArgument } from '../../../platform/graphql/arguments.js';
import type { FlowView } from '../contracts/peer-view.js';
import { enumOf } from '../../../platform/graphql/enum-of.js';

export const PeerDirection = enumOf('PeerDirection', DIRECTIONS, {
  type: 'In which direction packages pass between this server and a peer, as seen from this server.',
  values: {
    SEND_RECEIVE: 'The peer gets packages from this server, and this server takes packages from the peer.',
    SEND_ONLY: 'The peer gets packages from this server. This server takes no packages from the peer.',
    RECEIVE_ONLY: 'This server takes packages from the peer. The peer gets no packages from this server.',
  },
});
const WeekdayName = enumOf('Weekday', WEEKDAYS);

const FROM = 'Begin, as HH:MM from 00:00 to 23:59.';
const TO = 'End, as HH:MM from 00:00 to 24:00. An end before `from` is on the next day.';
const LIMIT = 'Limit of package data in bytes per second, for each process of this server. Null means no limit.';

@ObjectType({ description: 'A part of the day, in the time zone of the server.' })
class TimeWindow {
  @Field(() => [WeekdayName], { description: 'The days on which the window begins.' })
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

  @Field(() => [TimeWindow], {
    description: 'Time windows in which packages may pass. Without any window they may always pass.',
  })
  windows!: readonly TimeWindow[];

  @Field(() => Boolean, { description: 'Whether packages may pass now.' })
  openNow!: boolean;

  @Field(() => Date, {
    nullable: true,
    description: 'When the next time window begins. Null when one is open now or none will ever open.',
  })
  opensAt!: Date | null;
}

@InputType({ description: 'A part of the day, in the time zone of the server.' })
class TimeWindowInput {
  @Field(() => [WeekdayName], { description: 'The days on which the window begins.' })
  days!: readonly Weekday[];

  @Field(() => String, { description: FROM })
  from!: string;

  @Field(() => String, { description: TO })
  to!: string;
}

@InputType({
  description: 'A change to one direction of the exchange with a peer. Fields that are left out stay as they are.',
})
export class PeerFlowInput {
  @Field(() => ByteCount, { nullable: true, description: `${LIMIT} At least 16384.` })
  bytesPerSecond?: number | null;

  @Field(() => [TimeWindowInput], {
    nullable: true,
    description: 'All time windows, at most 50. With an empty list packages may always pass.',
  })
  windows?: readonly TimeWindowInput[] | null;
}

/**
 * Converts the input to the change that commands take. Null for the list of windows means the same as leaving it out.
 * @param name of the argument, for error messages @throws Refusal INVALID_REQUEST
 */
export function flowChange(name: string, input: PeerFlowInput | null | undefined): Partial<FlowPolicy> {
  const { bytesPerSecond, windows } = input ?? {};
  const checkedWindows = windows?.map(({ days, from, to }) => ({
    days,
    from: textArgument(`${name}.windows.from`, from),
    to: textArgument(`${name}.windows.to`, to),
  }));
  return {
    ...(bytesPerSecond !== undefined && { bytesPerSecond }),
    ...(checkedWindows && { windows: checkedWindows }),
  };
}
