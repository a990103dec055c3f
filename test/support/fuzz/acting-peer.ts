import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { expect } from 'vitest';
import { z } from 'zod';
import { decodeToken } from '../../../src/modules/peers/registration/invitation-token.js';
import { PeerRequestSigner } from '../../../src/platform/peer-calls/peer-request-signer.js';
import type { Stage } from '../../../src/kernel/stage.js';
import { ServerIdentity } from '../../../src/ports/server-identity.port.js';
import type { FuzzScene } from './scene.js';

/** A server that exists in a test only, with a key of its own. */
class ActingIdentity extends ServerIdentity {
  readonly serverId = randomUUID();
  readonly name = 'acting peer';
  readonly stage: Stage = 'Dev';
  readonly reachable = true;
  private readonly pair = generateKeyPairSync('ed25519');
  readonly publicKey = z.object({ x: z.string() }).parse(this.pair.publicKey.export({ format: 'jwk' })).x;

  constructor(readonly url: string) {
    super();
  }

  sign(bytes: Uint8Array): Uint8Array {
    return sign(null, bytes, this.pair.privateKey);
  }
}

const Invited = z.object({ data: z.object({ createPeerInvitation: z.object({ token: z.string() }) }) });

/** Calls a server as a registered peer would, or nearly so. */
export class ActingPeer {
  private readonly signer: PeerRequestSigner;
  serverId = '';

  private constructor(
    private readonly scene: FuzzScene,
    readonly identity: ActingIdentity,
  ) {
    this.signer = new PeerRequestSigner(identity, { keyKnownTo: () => identity.publicKey });
  }

  /** @param at where the peer can be called; nobody listens at the one that it has otherwise */
  static async register(scene: FuzzScene, at = 'http://127.0.0.1:9'): Promise<ActingPeer> {
    const peer = new ActingPeer(scene, new ActingIdentity(at));
    const { body } = await scene.graphql({ query: 'mutation { createPeerInvitation { token } }' });
    const { invitationId, secret, serverId } = decodeToken(
      Invited.parse(JSON.parse(body.toString())).data.createPeerInvitation.token,
    );
    const { name, url, publicKey } = peer.identity;
    const registration = { invitationId, secret, serverId: peer.identity.serverId, name, url, publicKey };
    const answer = await scene.fetch(
      '/peer/v1/registrations',
      peer.call('POST', '/peer/v1/registrations', registration, null),
    );
    expect(answer.status).toBe(200);
    return Object.assign(peer, { serverId });
  }

  /** A signed call. @param to id of the server that is called; null for none */
  call(
    method: string,
    path: string,
    body?: unknown,
    to: string | null = this.serverId,
  ): { method: string; headers: Record<string, string>; body?: Buffer } {
    const url = `${this.scene.server.url}${path}`;
    const bytes = body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const signed = this.signer.sign({ method, url, to, ...(bytes && { body: bytes }) });
    return {
      method,
      headers: { ...signed, ...(bytes && { 'content-type': 'application/json' }) },
      ...(bytes && { body: bytes }),
    };
  }
}
