import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../kernel/errors.js';
import { CommandRunner } from '../../platform/eventsourcing/command-runner.js';
import { LiveViews } from '../../platform/eventsourcing/live-views.js';
import { AllowedNetworks } from '../../platform/http/allowed-networks.js';
import { makeOneTimePassword, PasswordHashing } from '../../platform/secrets/password-hashing.js';
import { DownloadPasswords } from './basic-auth.js';
import type { DownloadProtection, ProtectionMode } from './contracts/download.events.js';
import { downloadProtection } from './download-protection.decider.js';

/** Sets who may download from this server. @throws Refusal INVALID_REQUEST, PASSWORD_REFUSED */
export class SetDownloadProtection extends Command<ProtectionSet> {
  constructor(
    readonly to: {
      readonly mode: ProtectionMode;
      readonly username: string | null;
      /** Null keeps the password of the same username, or generates one. */
      readonly password: string | null;
      readonly networks: readonly string[];
    },
  ) {
    super();
  }
}

interface ProtectionSet {
  readonly protection: DownloadProtection;
  /** The generated password, which is returned only once. Null when none was generated. */
  readonly generatedPassword: string | null;
}

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
      chosen === null
        ? before.credentialId
        : await this.passwords.storePassword(await this.hashing.hashPassword(chosen), {
            username: username ?? '',
            password: chosen,
          });
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
    `The password for downloads must have ${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH} characters. Leave it out to have a password generated.`,
  );
}
