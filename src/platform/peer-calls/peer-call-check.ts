import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { z } from 'zod';
import { Refusal } from '../../kernel/errors.js';
import { hasPlainText } from '../../kernel/text.js';
import { PeerDirectory } from '../../ports/peer-directory.port.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { addressOf, type Caller } from '../access/caller.js';
import { systemActor } from '../runtime/call-context.js';
import { PUBLIC_KEY } from './ed25519.js';
import { ExpectedPeers } from './expected-peers.js';
import { NonceStore } from './nonce-store.js';
import { callTargets, fieldsOf, readRawBody } from './request-parts.js';
import { CLOCK_TOLERANCE_SECONDS, matchesContentDigest } from './signature-format.js';
import { invalidSignature, PeerCallRefusal, unknownKey, type VerifiedCall, verifyCall } from './verify-call.js';

/**
 * Where the public key of a caller is found: among the registered peers, in the body that asks for registration, or
 * here, when only another process of this server may call.
 */
export type KeySource = 'directory' | 'body' | 'own';

export const KeysFrom = Reflector.createDecorator<KeySource>();

type PeerRequest = IncomingMessage & { originalUrl?: string; body?: unknown };

const Introduction = z.object({ serverId: z.uuid(), publicKey: z.string().regex(PUBLIC_KEY) });

/** Decides who makes a call to /peer/v1, or that it is not let in. */
@Injectable()
export class PeerCallCheck {
  constructor(
    private readonly identity: ServerIdentity,
    private readonly directory: PeerDirectory,
    private readonly expected: ExpectedPeers,
    private readonly nonces: NonceStore,
  ) {}

  /** @throws PeerCallRefusal; Refusal TOO_LARGE */
  async identifyCaller(request: PeerRequest, keys: KeySource): Promise<Caller> {
    if (keys === 'own') return this.identifyOwnProcess(request);
    return keys === 'body' ? this.identifyNewcomer(request) : this.identifyRegistered(request);
  }

  private async identifyRegistered(request: PeerRequest): Promise<Caller> {
    await this.waitForRegistration(request);
    const verified = await this.verifyRegistered(request);
    const contact = await this.directory.find(verified.keyId);
    if (!contact) throw unknownKey();
    if (contact.suspended) {
      throw new PeerCallRefusal('PEER_SUSPENDED', `${this.identity.name} has suspended the exchange with this server.`);
    }
    if (verified.recipient === null) throw invalidSignature('it does not name the server that is called');
    await this.acceptOnce(request, verified, await readRawBody(request));
    return callerNamed('peer', contact.peerId, contact.name, request);
  }

  /** A call may have been signed before we recorded the new key of its server; and who was unregistered may know it. */
  private async verifyRegistered(request: PeerRequest): Promise<VerifiedCall> {
    try {
      return await this.verifyRequest(request, async (keyId) => (await this.directory.find(keyId))?.publicKey ?? null);
    } catch (error) {
      if (codeOf(error) === 'PEER_KEY_UNKNOWN') await this.refuseFormer(request);
      if (codeOf(error) !== 'PEER_SIGNATURE_INVALID') throw error;
      return await this.verifyRequest(request, async (keyId) => this.directory.formerKeyOf(keyId)).catch(() =>
        Promise.reject(error),
      );
    }
  }

  /** Only who holds the key of a server that was unregistered hears of it. */
  private async refuseFormer(request: PeerRequest): Promise<void> {
    const verified = await this.verifyRequest(
      request,
      async (keyId) => (await this.directory.findFormer(keyId))?.publicKey ?? null,
    ).catch(() => null);
    if (!verified) return;
    const advice = 'Unregister it here too, or register anew with an invitation.';
    throw new PeerCallRefusal('PEER_UNREGISTERED', `${this.identity.name} has unregistered this server. ${advice}`);
  }

  private async identifyOwnProcess(request: PeerRequest): Promise<Caller> {
    const { serverId, publicKey } = this.identity;
    const verified = await this.verifyRequest(request, async (keyId) => (keyId === serverId ? publicKey : null));
    await this.acceptOnce(request, verified, await readRawBody(request));
    return { actor: systemActor('server'), address: addressOf(request), principal: null };
  }

  /** Only who holds an expected key is worth waiting for; whether it is let in is decided afterwards. */
  private async waitForRegistration(request: PeerRequest): Promise<void> {
    if (this.expected.none) return;
    const verified = await this.verifyRequest(request, async (keyId) => this.expected.keyOf(keyId)).catch(() => null);
    if (verified) await this.expected.waitForRegistration(verified.keyId);
  }

  /** Somebody who is not known yet proves to hold the key in the body; what that is worth is decided elsewhere. */
  private async identifyNewcomer(request: PeerRequest): Promise<Caller> {
    const body = await readRawBody(request);
    const introduction = Introduction.safeParse(parseJson(body));
    if (!introduction.success)
      throw new PeerCallRefusal('PEER_SIGNATURE_INVALID', 'The body must name serverId and publicKey.');
    const { serverId, publicKey } = introduction.data;
    const verified = await this.verifyRequest(request, async (keyId) => (keyId === serverId ? publicKey : null));
    await this.acceptOnce(request, verified, body);
    return callerNamed('stranger', serverId, 'unregistered server', request);
  }

  private async verifyRequest(
    request: PeerRequest,
    findKey: (keyId: string) => Promise<string | null>,
  ): Promise<VerifiedCall> {
    const targets = callTargets(request.headers.host, request.originalUrl ?? request.url ?? '', this.identity.url);
    const call = { method: request.method ?? '', targets, fields: fieldsOf(request) };
    const verified = await verifyCall(call, findKey, Math.floor(Date.now() / 1000));
    if (verified.recipient !== null && verified.recipient !== this.identity.serverId) {
      throw invalidSignature('it is addressed to another server');
    }
    return verified;
  }

  /** The nonce counts last: a copy with another body must not use it up. */
  private async acceptOnce(request: PeerRequest, { keyId, nonce, expires }: VerifiedCall, body: Buffer): Promise<void> {
    const digest = request.headers['content-digest'];
    if (typeof digest !== 'string' || !matchesContentDigest(digest, body)) {
      throw new PeerCallRefusal('PEER_BODY_TAMPERED', 'The body is not the one that was signed.');
    }
    const until = new Date((expires + CLOCK_TOLERANCE_SECONDS) * 1000);
    const durable = request.method !== 'GET' && request.method !== 'HEAD';
    if (!(await this.nonces.rememberNonce(keyId, nonce, until, durable))) {
      throw new PeerCallRefusal('PEER_CALL_REPLAYED', 'This call was made before: its nonce is used up.');
    }
    if (body.length > 0) request.body = parsePlainBody(body);
  }
}

const codeOf = (error: unknown): string | null => (error instanceof PeerCallRefusal ? error.code : null);

function callerNamed(kind: 'peer' | 'stranger', id: string, name: string, request: IncomingMessage): Caller {
  return { actor: { kind, id, name }, address: addressOf(request), principal: null };
}

/** @throws Refusal INVALID_REQUEST for text that no database stores */
function parsePlainBody(body: Buffer): unknown {
  const parsed = parseJson(body);
  if (hasPlainText(parsed)) return parsed;
  throw new Refusal('INVALID_REQUEST', 'Text must be Unicode without NUL.');
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
