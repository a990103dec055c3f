import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { type Introduction, introductionText } from '../../../src/kernel/introduction.js';
import type { PackageFacts } from '../../../src/modules/packages/contracts/package-facts.js';
import type { SignedFact } from '../../../src/modules/packages/contracts/signed-facts.js';
import { decodeToken } from '../../../src/modules/peers/registration/invitation-token.js';
import { PeerRequestSigner } from '../../../src/platform/peer-calls/peer-request-signer.js';
import type { ServerUnderTest } from '../server-under-test.js';
import { SigningServer } from '../signing-server.js';

const Invited = z.object({ createPeerInvitation: z.object({ token: z.string() }) });

/** What a hostile peer tells of one package; anything can be put in place of any part. */
export interface Lie {
  readonly facts: PackageFacts;
  readonly proofs?: readonly SignedFact[];
  readonly introductions?: readonly Introduction[];
  readonly held?: unknown;
  readonly digests?: unknown;
  readonly [part: string]: unknown;
}

/**
 * A peer that is registered properly, speaks the protocol, and lies: its feed tells whatever a test gives it. To all
 * other calls it answers 404, as a server does that has nothing.
 */
export class HostilePeer {
  readonly identity = new SigningServer(randomUUID(), 'mallory');
  private readonly feeds = new Set<ServerResponse>();
  private readonly told: string[] = [];
  private readonly manifests = new Map<string, (response: ServerResponse) => void>();
  private readonly server = createServer((request, response) => {
    if (request.url?.startsWith('/peer/v1/feed') === true) return this.openFeed(response);
    const [, packageId = ''] = /^\/peer\/v1\/packages\/([^/]+)\/manifest/.exec(request.url ?? '') ?? [];
    const answer = this.manifests.get(packageId);
    if (answer) return answer(response);
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"code":"PACKAGE_NOT_FOUND","message":"no"}');
  });

  /** Registers with a server and waits until that server follows its feed. */
  async register(victim: ServerUnderTest): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('no address');
    this.identity.url = `http://127.0.0.1:${address.port}`;
    const answer = await this.claim(victim, this.identity);
    if (!answer.ok) throw new Error(`registration: ${await answer.text()}`);
    return this;
  }

  /** Uses an invitation of a server to register under this identity. */
  async claim(victim: ServerUnderTest, { serverId, name, url, publicKey }: SigningServer): Promise<Response> {
    const client = await victim.client();
    const invited = await client.ask('mutation { createPeerInvitation { token } }', Invited);
    const { invitationId, secret } = decodeToken(invited.createPeerInvitation.token);
    const body = Buffer.from(JSON.stringify({ invitationId, secret, serverId, name, url, publicKey }));
    const target = `${victim.url}/peer/v1/registrations`;
    // The key in the body signs the call, whatever id it claims.
    const own = Object.create(this.identity, { serverId: { value: serverId } });
    const signer = new PeerRequestSigner(own, { keyKnownTo: () => publicKey });
    const headers = {
      ...signer.sign({ method: 'POST', url: target, to: null, body }),
      'content-type': 'application/json',
    };
    return fetch(target, { method: 'POST', headers, body });
  }

  /** Tells a package in the feed, now and to everybody who asks again. */
  tell(lie: Lie | string): void {
    const id = `hostile.${this.told.length + 1}.e${this.told.length + 1}`;
    const complete = typeof lie === 'string' ? lie : JSON.stringify({ ...itemAround(lie.facts), ...lie });
    const message = `id: ${id}\ndata: ${complete}\n\n`;
    this.told.push(message);
    for (const feed of this.feeds) feed.write(message);
  }

  /**
   * Answers the next question for the manifest of a package with so many bytes of JSON, and all others with 404. Resolves
   * with the number of bytes that the other side has taken when the connection ends.
   */
  answerManifest(packageId: string, bytes: number): Promise<number> {
    return new Promise((resolve) => {
      this.manifests.set(packageId, (response) => {
        this.manifests.delete(packageId);
        response.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
        const { socket } = response;
        response.on('close', () => resolve((socket?.bytesWritten ?? 0) - (socket?.writableLength ?? 0)));
        Readable.from(piecesOf(bytes)).pipe(response);
      });
    });
  }

  /** An introduction that this peer signs. */
  introduce(server: { readonly serverId: string; readonly name: string }, ...keys: string[]): Introduction {
    const told = { serverId: server.serverId, name: server.name, keys, successions: [] };
    const unsigned = { ...told, introducedBy: this.identity.serverId };
    const signature = Buffer.from(this.identity.sign(introductionText(unsigned))).toString('base64url');
    return { ...unsigned, publicKey: this.identity.publicKey, signature };
  }

  async dispose(): Promise<void> {
    for (const feed of this.feeds) feed.end();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private openFeed(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    response.write(`:\n\n${this.told.join('')}`);
    this.feeds.add(response);
    response.on('close', () => this.feeds.delete(response));
  }
}

const PIECE = Buffer.alloc(64 * 1024, 'A');

/** JSON of so many bytes, of the shape of a manifest with one text that is too long. */
function* piecesOf(bytes: number): Generator<Buffer> {
  yield Buffer.from('{"pages":[{"first":0,"count":1,"sha1":"');
  for (let left = bytes; left > 0; left -= PIECE.length) yield PIECE.subarray(0, Math.min(left, PIECE.length));
  yield Buffer.from('","sha256":""}]}');
}

/** The rest of an item: the peer claims to hold the package, which has one chunk. */
function itemAround({ sha1, sha256 }: PackageFacts): object {
  const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');
  return {
    authors: { stage: null, removal: null },
    held: { verifiedAt: new Date().toISOString(), lineage: [] },
    fetching: null,
    digests: { first: 0, count: 1, sha1: base64(sha1), sha256: base64(sha256) },
  };
}
