import { DiscoveryService } from '@nestjs/core';

/** Marks a provider that implements JobHandler (src/ports/job-queue.port.ts). */
export const AsJobHandler = DiscoveryService.createDecorator();
