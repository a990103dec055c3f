import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { currentContext } from '../../../platform/runtime/call-context.js';
import { keySuccessions, PublicKey, Signature } from '../../../platform/input/parsers.js';
import { wireSchema } from '../../../platform/input/wire-schema.js';
import { PeerCall } from '../../../platform/peer-calls/peer-call.guard.js';
import { RecordPeerKey } from './record-peer-key.command.js';

/** More keys than a server can have had. */
const MAX_ROTATIONS = 1_000_000;

const KeyAnnouncement = wireSchema(
  'announced key',
  z.object({
    publicKey: PublicKey,
    rotation: z.int().min(0).max(MAX_ROTATIONS),
    proof: Signature,
    /** A server of an earlier version does not send them. */
    successions: keySuccessions().default([]),
  }),
);

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
    const { publicKey, rotation, proof, successions } = KeyAnnouncement.require(body);
    const command = new RecordPeerKey(currentContext().actor.id, {
      publicKey,
      rotation,
      proof: Buffer.from(proof, 'base64url'),
      successions,
    });
    return { publicKey: await this.commands.execute(command) };
  }
}
