import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { Refusal } from '../../../kernel/errors.js';
import { currentContext } from '../../../platform/runtime/call-context.js';
import { PeerCall } from '../../../platform/peer-calls/peer-call.guard.js';
import { PUBLIC_KEY } from '../../../platform/peer-calls/ed25519.js';
import { RecordPeerKey } from './record-peer-key.command.js';

const NewKey = z.object({
  publicKey: z.string().regex(PUBLIC_KEY),
  rotation: z.int().nonnegative(),
  proof: z.string().max(200),
});

/** Where a peer tells us of its new key. */
@Controller('peer/v1/key')
export class KeyController {
  constructor(private readonly commands: CommandBus) {}

  /** Signed with a key that we know; the proof is by the new one. Answers with the key on record. Refusals: INVALID_REQUEST, PEER_NOT_FOUND. */
  @Post()
  @HttpCode(200)
  @PeerCall()
  async record(@Body() body: unknown): Promise<{ publicKey: string }> {
    const told = NewKey.safeParse(body);
    if (!told.success) throw new Refusal('INVALID_REQUEST', z.prettifyError(told.error));
    const { publicKey, rotation, proof } = told.data;
    const command = new RecordPeerKey(currentContext().actor.id, {
      publicKey,
      rotation,
      proof: Buffer.from(proof, 'base64url'),
    });
    return { publicKey: await this.commands.execute(command) };
  }
}
