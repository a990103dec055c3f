import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { z } from 'zod';
import { Refusal } from '../../kernel/errors.js';
import { findUnstorableText, NOT_PLAIN_FAULT } from '../../kernel/text.js';
import { PeerDirectory } from '../../ports/peer-directory.port.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { addressOf, type Caller } from '../access/caller.js';
import { LowerUuid, PublicKey } from '../input/parsers.js';
import { describeFault, wireSchema } from '../input/wire-schema.js';
import { systemActor } from '../runtime/call-context.js';
import { ExpectedPeers } from './expected-peers.js';
import { NonceStore } from './nonce-store.js';
import { callTargets, fieldsOf, readRawBody } from './request-parts.js';
import { CLOCK_TOLERANCE_SECONDS, matchesContentDigest, RECIPIENT_HEADER } from './signature-format.js';
import { invalidSignature, PeerCallRefusal, unknownKey, type VerifiedCall, verifyCall } from './verify-call.js';

/**
 * Where the public key of a caller comes from: from the registered peers (`directory`), from the body of a request for
 * registration (`body`), or from this server itself (`own`), when only another process of this server may call.
 */
export type KeySource = 'directory' | 'body' | 'own';

/** Decorator that sets the source of the caller's key for a route or a controller. */
export const KeysFrom = Reflector.createDecorator<KeySource>();

type PeerRequest = IncomingMessage & { originalUrl?: string; body?: unknown };

const Introduction = wireSchema('introduction of a caller', z.object({ serverId: LowerUuid, publicKey: PublicKey }));

/** Verifies a call to /peer/v1 and finds out who makes it, or refuses it. */
@Injectable()
export class PeerCallCheck {
  constructor(
    private readonly identity: ServerIdentity,
    private readonly directory: PeerDirectory,
    private readonly expected: ExpectedPeers,
    private readonly nonces: NonceStore,
  ) {}

  /**
   * Verifies the signature, the nonce and the body of a call, and returns the caller. Sets `request.body` to the parsed
   * body when there is one.
   * @throws PeerCallRefusal when the call is not accepted; Refusal TOO_LARGE; Refusal INVALID_REQUEST for text that a
   *   database cannot store
   */
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

  /**
   * Verifies a call with the current key of the peer. After a key rotation, a call may still be signed with the former
   * key. A peer that was unregistered gets a refusal that says so.
   */
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

  /** Tells the caller that it was unregistered, but only if the call is signed with the key of that server. */
  private async refuseFormer(request: PeerRequest): Promise<void> {
    const verified = await this.verifyRequest(
      request,
      async (keyId) => (await this.directory.findFormer(keyId))?.publicKey ?? null,
    ).catch(() => null);
    if (!verified) return;
    const advice = 'Unregister it here too, or register again with an invitation.';
    throw new PeerCallRefusal('PEER_UNREGISTERED', `${this.identity.name} has unregistered this server. ${advice}`);
  }

  private async identifyOwnProcess(request: PeerRequest): Promise<Caller> {
    const { serverId, publicKey } = this.identity;
    const verified = await this.verifyRequest(request, async (keyId) => (keyId === serverId ? publicKey : null));
    await this.acceptOnce(request, verified, await readRawBody(request));
    return { actor: systemActor('server'), address: addressOf(request), principal: null };
  }

  /**
   * Waits for the end of a registration when the call is signed with the key of the expected peer. Whether the call is
   * accepted is decided afterwards.
   */
  private async waitForRegistration(request: PeerRequest): Promise<void> {
    if (this.expected.none) return;
    const verified = await this.verifyRequest(request, async (keyId) => this.expected.keyOf(keyId)).catch(() => null);
    if (verified) await this.expected.waitForRegistration(verified.keyId);
  }

  /**
   * Verifies that a server which is not registered yet holds the private key to the public key in the body. Whether it
   * may register is decided by the route.
   */
  private async identifyNewcomer(request: PeerRequest): Promise<Caller> {
    const body = await readRawBody(request);
    const introduction = Introduction.read(parseJson(body));
    if (introduction.fault !== null)
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
    this.refuseForOthers(call.fields);
    const verified = await verifyCall(call, findKey, Math.floor(Date.now() / 1000));
    if (verified.recipient !== null && verified.recipient !== this.identity.serverId) {
      throw invalidSignature('it is addressed to another server');
    }
    return verified;
  }

  /**
   * Refuses a call for another server before its signature is verified, because this server may not know the caller. The
   * refusal tells nobody anything about this server.
   */
  private refuseForOthers(fields: ReturnType<typeof fieldsOf>): void {
    const { serverId, name } = this.identity;
    const recipient = fields.find(({ name: field }) => field.toLowerCase() === RECIPIENT_HEADER)?.value ?? serverId;
    if (recipient === serverId || !LowerUuid.safeParse(recipient).success) return;
    const reason = `The call is for the server ${recipient}, but arrived at ${name} (${serverId}): the caller has a wrong address for it.`;
    throw new PeerCallRefusal('PEER_WRONG_SERVER', 'This call is for another server. Correct its address.', reason);
  }

  /**
   * Checks that the body is the signed one and that the call is made for the first time. The nonce is recorded last, so
   * that a copy of the call with another body does not use it up.
   */
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

/**
 * Parses a body; undefined when it is no JSON.
 * @throws Refusal INVALID_REQUEST for text that a database cannot store
 */
function parsePlainBody(body: Buffer): unknown {
  const parsed = parseJson(body);
  const field = findUnstorableText(parsed);
  if (field === null) return parsed;
  throw new Refusal('INVALID_REQUEST', describeFault({ field, why: NOT_PLAIN_FAULT }, 'The body'));
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
