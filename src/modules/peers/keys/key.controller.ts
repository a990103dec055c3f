import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { Refusal } from '../../../kernel/errors.js';
import { currentContext } from '../../../platform/runtime/call-context.js';
import { PeerCall } from '../../../platform/peer-calls/peer-call.guard.js';
import { PUBLIC_KEY } from '../../../platform/peer-calls/ed25519.js';
import { RecordPeerKey } from './record-peer-key.command.js';

const Succession = z.object({
  previousPublicKey: z.string().regex(PUBLIC_KEY),
  publicKey: z.string().regex(PUBLIC_KEY),
  proof: z.string().max(200),
});

const KeyAnnouncement = z.object({
  publicKey: z.string().regex(PUBLIC_KEY),
  rotation: z.int().nonnegative(),
  proof: z.string().max(200),
  /** A server of an earlier version does not send them. */
  successions: z.array(Succession).max(64).default([]),
});

/** The endpoint at which a peer announces its new key. */
@Controller('peer/v1/key')
export class KeyController {
  constructor(private readonly commands: CommandBus) {}

  /**
   * The call is signed with a key on record, and the proof with the new key. Replies with the key that is on record then.
   * Refusals: INVALID_REQUEST, PEER_NOT_FOUND.
   */
  @Post()
  @HttpCode(200)
  @PeerCall()
  async recordKey(@Body() body: unknown): Promise<{ publicKey: string }> {
    const announcement = KeyAnnouncement.safeParse(body);
    if (!announcement.success) throw new Refusal('INVALID_REQUEST', z.prettifyError(announcement.error));
    const { publicKey, rotation, proof, successions } = announcement.data;
    const command = new RecordPeerKey(currentContext().actor.id, {
      publicKey,
      rotation,
      proof: Buffer.from(proof, 'base64url'),
      successions,
    });
    return { publicKey: await this.commands.execute(command) };
  }
}
