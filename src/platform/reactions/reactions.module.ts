import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ReactionRunner } from './reaction-runner.js';
import { SubscriptionCursors } from './subscription-cursors.js';

@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [ReactionRunner, SubscriptionCursors],
  exports: [ReactionRunner, SubscriptionCursors],
})
export class ReactionsModule {}
