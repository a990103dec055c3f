import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { expect } from 'vitest';
import { z } from 'zod';
import { bearer, signIn } from '../people.js';
import { PASSWORD, ServerUnderTest } from '../server-under-test.js';
import { expectGoodAnswer, type Answer } from './answers.js';
import { sendRaw } from './raw-http.js';

const Uploaded = z.object({ id: z.string(), sha256: z.string() });

/** Lines of the log about unexpected errors. */
const BAD_LINE = /"level":(?:50|60)|unhandled|uncaught|TypeError|RangeError|ReferenceError|MaxListeners/i;

/** A real server to be fuzzed, with one package on it. */
export class FuzzScene {
  readonly content = randomBytes(2_000);
  packageId = '';
  sha256 = '';
  token = '';
  private addresses = 0;

  private constructor(readonly server: ServerUnderTest) {}

  /**
   * Calls come from ever new addresses, as far as the server knows, and an account may send any number of them: these limits
   * are not what is tested.
   */
  static async start(name: string, env: Readonly<Record<string, string>> = {}): Promise<FuzzScene> {
    const server = new ServerUnderTest(name, {
      ODST_TRUSTED_PROXIES: 'loopback',
      ODST_LOG_LEVEL: 'info',
      ODST_GRAPHQL_RATE: '99999',
      ...env,
    });
    const scene = new FuzzScene(await server.start());
    await scene.signIn();
    const reply = await server.put('known.pkg', scene.content);
    const { id, sha256 } = Uploaded.parse(await reply.json());
    return Object.assign(scene, { packageId: id, sha256 });
  }

  get bearer(): Record<string, string> {
    return bearer(this.token);
  }

  async signIn(): Promise<void> {
    this.token = await signIn(this.server, 'admin', PASSWORD);
  }

  /** The header that makes a call come from an address of its own. */
  fromElsewhere(): Record<string, string> {
    this.addresses += 1;
    const at = this.addresses;
    return { 'x-forwarded-for': `2001:db8:${(at >> 16).toString(16)}:${(at & 0xffff).toString(16)}::1` };
  }

  async fetch(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Answer> {
    const reply = await fetch(`${this.server.url}${path}`, {
      redirect: 'manual',
      ...init,
      headers: { ...this.fromElsewhere(), ...init.headers },
    });
    const body = Buffer.from(await reply.arrayBuffer());
    const answer = { status: reply.status, headers: new Map(reply.headers), body };
    expectGoodAnswer(answer, init.method === 'HEAD');
    return answer;
  }

  graphql(body: unknown, headers: Record<string, string> = this.bearer): Promise<Answer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return this.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: text,
    });
  }

  /** Null when the server closed the connection without a word. */
  async raw(bytes: Buffer | string, halfClose = false): Promise<Answer | null> {
    const answer = await sendRaw(this.server.port, bytes, { halfClose });
    if (answer) expectGoodAnswer(answer, bytes.slice(0, 5).toString('latin1') === 'HEAD ');
    return answer;
  }

  /** Begins to say something and is gone. */
  async leave(bytes: string): Promise<void> {
    const socket = connect(this.server.port, '127.0.0.1');
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.write(bytes, 'latin1', resolve));
    socket.resetAndDestroy();
  }

  /** It lives, serves what it had, and nothing unforeseen is in its log. */
  async expectHealthy(): Promise<void> {
    expect(this.server.isRunning).toBe(true);
    expect((await fetch(`${this.server.url}/health/ready`)).status).toBe(200);
    const bad = this.server.output.split('\n').filter((line) => BAD_LINE.test(line));
    expect(bad.map((line) => line.slice(0, 1_500))).toEqual([]);
  }

  async dispose(): Promise<void> {
    await this.server.dispose();
  }
}
