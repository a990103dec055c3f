import { parentPort } from 'node:worker_threads';
import { ConnectionPool } from './connections.js';
import { fetchRange } from './fetch-run.js';
import type { AbortOrder, FetchOrder, FetchProgress, FetchReport } from './messages.js';

/** The thread: fetches, verifies and writes runs of chunks, away from the thread that serves requests. */
const pool = new ConnectionPool();
const stops = new Map<number, (reason: string) => void>();

parentPort?.on('message', (order: FetchOrder | AbortOrder) => {
  if (order.kind === 'abort') return stops.get(order.id)?.('stopped');
  const stop = fetchRange(order, pool, (message: FetchReport | FetchProgress) => {
    if (message.kind === 'report') stops.delete(order.id);
    parentPort?.postMessage(message);
  });
  stops.set(order.id, stop);
});
