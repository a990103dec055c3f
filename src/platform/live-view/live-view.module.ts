import { Global, Module } from '@nestjs/common';
import { LiveViews } from './live-views.js';

@Global()
@Module({ providers: [LiveViews], exports: [LiveViews] })
export class LiveViewModule {}
