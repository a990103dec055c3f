import { Global, Injectable, Module } from '@nestjs/common';
import { HybridClock } from '../../kernel/hybrid-clock.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';

/** This server's clocks. */
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

@Global()
@Module({ providers: [Clock], exports: [Clock] })
export class ClockModule {}
