import type { Stage } from '../../../kernel/stage.js';

/** Changes settings of this server; what is left out stays. Result: Receipt. */
export class UpdateServer {
  constructor(
    readonly to: {
      readonly name?: string;
      readonly url?: string;
      readonly stage?: Stage;
      readonly reachable?: boolean;
    },
  ) {}
}
