import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../kernel/errors.js';
import type { Stage } from '../../kernel/stage.js';
import { CommandRunner, type Receipt } from '../../platform/eventsourcing/command-runner.js';
import { LiveViews } from '../../platform/eventsourcing/live-views.js';
import { Settings } from '../../platform/runtime/settings.js';
import { server } from './server.decider.js';

/**
 * Changes settings of this server. A setting that is left out is not changed.
 * @throws Refusal SETTING_FIXED, INVALID_REQUEST
 */
export class UpdateServer extends Command<Receipt> {
  constructor(
    readonly to: {
      readonly name?: string;
      readonly url?: string;
      readonly stage?: Stage;
      readonly reachable?: boolean;
    },
  ) {
    super();
  }
}

const FIELDS = ['name', 'url', 'stage', 'reachable'] as const;

/** Refuses settings that the environment sets, because the next start would silently undo the change. */
@CommandHandler(UpdateServer)
export class UpdateServerHandler implements ICommandHandler<UpdateServer> {
  constructor(
    private readonly runner: CommandRunner,
    private readonly settings: Settings,
    private readonly views: LiveViews,
  ) {}

  async execute({ to }: UpdateServer): Promise<Receipt> {
    for (const field of FIELDS) {
      const fixed = this.settings[field];
      if (fixed !== null && to[field] !== undefined && to[field] !== fixed) {
        const variable = `ODST_${field.toUpperCase()}`;
        throw new Refusal(
          'SETTING_FIXED',
          `This setting is fixed by ${variable} in the environment. Change it there.`,
          { variable },
        );
      }
    }
    const { receipt } = await this.runner.run(server, undefined, { type: 'change', to });
    await this.views.reflect(receipt);
    return receipt;
  }
}
