import { Command } from '@nestjs/cqrs';
import type { Receipt } from '../../../../platform/cqrs/command-runner.js';

/** Closes the session by which the caller is signed in. Refusal: INVALID_REQUEST for who shows an API token. */
export class SignOut extends Command<Receipt> {}
