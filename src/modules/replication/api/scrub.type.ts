import { Field, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import { ByteCount } from '../../../platform/graphql/types/byte-count.scalar.js';
import type { ScrubState } from '../contracts/scrub-view.js';

/** `SCRUB_STATES` as GraphQL names them. */
export enum ScrubStateName {
  OFF = 'OFF',
  WAITING = 'WAITING',
  RUNNING = 'RUNNING',
}

registerEnumType(ScrubStateName, {
  name: 'ScrubState',
  description: 'What the background check of stored files does now.',
  valuesMap: {
    OFF: { description: 'Switched off by ODST_SCRUB_RATE=0.' },
    WAITING: { description: 'No package is due.' },
    RUNNING: { description: 'It reads packages that are due.' },
  },
});

@ObjectType({
  description: 'The background check that reads stored packages again, to find and mend what the disk has damaged.',
})
export class Scrub {
  @Field(() => ScrubStateName)
  state!: ScrubState;

  @Field(() => ByteCount, { description: 'Most that it reads.' })
  bytesPerSecond!: number;

  @Field(() => Date, { nullable: true, description: 'When it had last read all that was due.' })
  lastFinishedAt!: Date | null;

  @Field(() => Int, { description: 'Packages whose file was found damaged or missing since the server was set up.' })
  damagedFound!: number;
}
