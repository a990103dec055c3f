import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FeedEntry } from './feed-source.js';

/** So often something is sent, for the peer to see that the connection lives. */
const HEARTBEAT_INTERVAL_MS = 10_000;

/** Sends entries as server-sent events (WHATWG HTML, 9.2) until the signal aborts; waits while the peer reads slowly. */
export async function sendEventStream(
  response: ServerResponse,
  entries: AsyncIterable<FeedEntry>,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
  // A write to a peer that has just left.
  response.on('error', () => undefined);
  response.write(':\n\n');
  const heartbeat = setInterval(() => response.write(':\n\n'), HEARTBEAT_INTERVAL_MS);
  try {
    for await (const { id, item } of entries) {
      const fits = response.write(`id: ${id}\ndata: ${JSON.stringify(item)}\n\n`);
      if (!fits) await once(response, 'drain', { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(heartbeat);
    response.end();
  }
}
