import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { Refusal } from '../../../kernel/errors.js';
import { currentContext } from '../../../platform/runtime/call-context.js';
import {
  base64UrlBytes,
  BaseUrl,
  keySuccessions,
  LowerUuid,
  PublicKey,
  serverName,
} from '../../../platform/input/parsers.js';
import { wireSchema } from '../../../platform/input/wire-schema.js';
import { PeerCallLimits } from '../../../platform/peer-calls/peer-call-limits.js';
import { PeerCall } from '../../../platform/peer-calls/peer-call.guard.js';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { RegisterPeer, type RegisteredPeer } from './register-peer.command.js';

const Registration = wireSchema(
  'registration',
  z.object({
    invitationId: LowerUuid,
    secret: base64UrlBytes(32),
    serverId: LowerUuid,
    name: serverName(),
    url: BaseUrl,
    publicKey: PublicKey,
    expectedKey: PublicKey.nullable().default(null),
    /** A server of an earlier version does not send them. */
    successions: keySuccessions().default([]),
  }),
);

/** The endpoint at which a server registers that has accepted an invitation of this server. */
@Controller('peer/v1/registrations')
export class RegistrationController {
  constructor(
    private readonly commands: CommandBus,
    private readonly readModels: ReadModels,
    private readonly limits: PeerCallLimits,
  ) {}

  /** Replies with the identity of this server. The call is signed with the key in its body; the one-time secret authorises it. */
  @Post()
  @HttpCode(200)
  @PeerCall({ keys: 'body' })
  async registerPeer(@Body() body: unknown): Promise<RegisteredPeer['reply']> {
    const command = new RegisterPeer(Registration.require(body));
    const { reply, receipt } = await this.commands.execute(command).catch(countFailure(this.limits));
    await this.readModels.reflect(receipt);
    return reply;
  }
}

/** Counts a failed registration, so that a caller that tries many invitations is slowed down. */
const countFailure =
  (limits: PeerCallLimits) =>
  (error: unknown): never => {
    if (error instanceof Refusal) limits.countFailedRegistration(currentContext().address);
    throw error;
  };
