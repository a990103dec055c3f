import { Global, Injectable, Module } from '@nestjs/common';
import { HybridClock } from '../../kernel/hybrid-clock.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';

/** The clocks of this server: the system time, and a hybrid logical clock for stamps. */
@Injectable()
export class Clock {
  readonly hybrid: HybridClock;

  constructor(identity: ServerIdentity) {
    this.hybrid = new HybridClock(identity.serverId, Date.now);
  }

  now(): Date {
    return new Date();
  }
}

/** Provides the clock. */
@Global()
@Module({ providers: [Clock], exports: [Clock] })
export class ClockModule {}
