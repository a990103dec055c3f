import { Command } from '@nestjs/cqrs';
import type { Receipt } from '../../../platform/cqrs/command-runner.js';

/** Gives this server a new key. Peers learn of it one by one; until then each is called with the key that it knows. */
export class RotateKey extends Command<Receipt> {}
