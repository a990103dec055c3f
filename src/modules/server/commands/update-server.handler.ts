import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/refusal.js';
import { Settings } from '../../../platform/config/settings.js';
import { CommandRunner, type Receipt } from '../../../platform/cqrs/command-runner.js';
import { LiveViews } from '../../../platform/live-view/live-views.js';
import { server } from '../domain/server.decider.js';
import { UpdateServer } from './update-server.command.js';

const FIELDS = ['name', 'url', 'stage', 'reachable'] as const;

/** What the environment sets can't be changed here: the next start would silently undo it. */
@CommandHandler(UpdateServer)
export class UpdateServerHandler implements ICommandHandler<UpdateServer, Receipt> {
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
        throw new Refusal('SETTING_FIXED', `${variable} in the environment sets this. Change it there.`, { variable });
      }
    }
    const { receipt } = await this.runner.run(server, undefined, { type: 'change', to });
    await this.views.reflect(receipt);
    return receipt;
  }
}
