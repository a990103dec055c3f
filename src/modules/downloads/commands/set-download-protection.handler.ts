import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/refusal.js';
import { CommandRunner } from '../../../platform/cqrs/command-runner.js';
import { LiveViews } from '../../../platform/live-view/live-views.js';
import { makeOneTimePassword, PasswordHashing } from '../../../platform/secrets/password-hashing.js';
import { AllowedNetworks } from '../../../platform/http/forwarded/allowed-networks.js';
import { downloadProtection } from '../domain/protection.decider.js';
import { DownloadPasswords } from './download-passwords.js';
import { SetDownloadProtection, type ProtectionSet } from './set-download-protection.command.js';

const MIN_PASSWORD_LENGTH = 12;
const MAX_PASSWORD_LENGTH = 200;

@CommandHandler(SetDownloadProtection)
export class SetDownloadProtectionHandler implements ICommandHandler<SetDownloadProtection> {
  constructor(
    private readonly runner: CommandRunner,
    private readonly passwords: DownloadPasswords,
    private readonly hashing: PasswordHashing,
    private readonly views: LiveViews,
  ) {}

  async execute({ to: { mode, username, password, networks } }: SetDownloadProtection): Promise<ProtectionSet> {
    if (mode === 'NETWORK') void new AllowedNetworks(networks);
    const before = await this.runner.load(downloadProtection);
    const keeps =
      mode !== 'BASIC' || (password === null && before.credentialId !== null && before.username === username);
    const chosen = keeps ? null : checkPassword(password ?? makeOneTimePassword());
    const credentialId =
      chosen === null ? before.credentialId : await this.passwords.store(await this.hashing.hash(chosen));
    const to = { mode, username, credentialId, networks };
    const { state, receipt } = await this.runner.run(downloadProtection, undefined, { type: 'protect', to });
    await this.views.reflect(receipt);
    await this.passwords.keepOnly(state.credentialId);
    return { protection: state, generatedPassword: password === null ? chosen : null };
  }
}

function checkPassword(password: string): string {
  if (password.length >= MIN_PASSWORD_LENGTH && password.length <= MAX_PASSWORD_LENGTH) return password;
  throw new Refusal(
    'PASSWORD_REFUSED',
    `The password for downloads must have ${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH} characters. Leave it out to have one made.`,
  );
}
