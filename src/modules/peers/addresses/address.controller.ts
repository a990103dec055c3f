import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { BaseUrl } from '../../../platform/input/parsers.js';
import { wireSchema } from '../../../platform/input/wire-schema.js';
import { PeerCall } from '../../../platform/peer-calls/peer-call.guard.js';
import { currentContext } from '../../../platform/runtime/call-context.js';
import { AddressProof, IdentityChallenge } from './address-proof.js';
import { TakeOverAddress } from './take-over-address.command.js';

const AddressAnnouncement = wireSchema('announced address', z.object({ url: BaseUrl }));

/** The endpoints at which a peer announces its new address, and at which a server proves to be the one at its address. */
@Controller('peer/v1')
export class AddressController {
  constructor(
    private readonly commands: CommandBus,
    private readonly proof: AddressProof,
  ) {}

  /** Replies with the address that is on record then. Refusals: INVALID_REQUEST, PEER_ADDRESS_UNCONFIRMED, PEER_ID_SHARED. */
  @Post('address')
  @HttpCode(200)
  @PeerCall()
  async takeOver(@Body() body: unknown): Promise<{ url: string }> {
    const { url } = AddressAnnouncement.require(body);
    return { url: await this.commands.execute(new TakeOverAddress(currentContext().actor.id, url)) };
  }

  /** Replies with the id and the address of this server, signed for the peer that asks. Refusal: INVALID_REQUEST. */
  @Post('identity')
  @HttpCode(200)
  @PeerCall()
  proveIdentity(@Body() body: unknown): { serverId: string; url: string; proof: string } {
    return this.proof.prove(currentContext().actor.id, IdentityChallenge.require(body).challenge);
  }
}
