import { parentPort } from 'node:worker_threads';
import { Connections } from './connections.js';
import { fetchRun } from './fetch-run.js';
import type { AbortOrder, FetchOrder, FetchProgress, FetchReport } from './messages.js';

/** The thread: fetches, verifies and writes runs of chunks, away from the thread that serves requests. */
const connections = new Connections();
const stops = new Map<number, (reason: string) => void>();

parentPort?.on('message', (order: FetchOrder | AbortOrder) => {
  if (order.kind === 'abort') return stops.get(order.id)?.('stopped');
  const stop = fetchRun(order, connections, (message: FetchReport | FetchProgress) => {
    if (message.kind === 'report') stops.delete(order.id);
    parentPort?.postMessage(message);
  });
  stops.set(order.id, stop);
});
