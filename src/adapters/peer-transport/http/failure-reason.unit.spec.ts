import { createServer } from 'node:net';
import { once } from 'node:events';
import { Agent } from 'undici';
import { describe, expect, it } from 'vitest';
import { failureReason } from './failure-reason.js';

/** What the HTTP client throws when a server answers a request so. */
async function errorAfter(answer: string): Promise<unknown> {
  const server = createServer((socket) => socket.once('data', () => socket.end(answer)).on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const agent = new Agent();
  try {
    const { body } = await agent.request({ origin: `http://127.0.0.1:${port}`, path: '/', method: 'GET' });
    return await body.text();
  } catch (error) {
    return error;
  } finally {
    await agent.destroy();
    server.close();
  }
}

describe('what went wrong on the way to a peer, in words for an administrator', () => {
  it.each([
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe'],
    ['HTTP/1.1 200 OK\r\nContent-'],
  ])('a connection that ends too early: %j', async (answer) => {
    expect(failureReason(await errorAfter(answer))).toBe('the connection was closed in the middle');
  });

  it('something else than HTTP', async () => {
    expect(failureReason(await errorAfter('SSH-2.0-OpenSSH_9.6\r\n'))).toBe(
      'did not answer with HTTP; is this the right port?',
    );
  });

  it('what the parser says of a chunked answer that is cut off', () => {
    const words = 'Response does not match the HTTP/1.1 protocol (Invalid EOF state)';
    expect(failureReason(Object.assign(new Error(words), { name: 'HTTPParserError' }))).toBe(
      'the connection was closed in the middle',
    );
  });
});
