import { createHash, type Hash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type { HashReply, HashRequest } from './hash-thread.js';

/** Small enough that the second of the two digests finds the bytes in the cache. */
const SLICE = 64 * 1024;

interface State {
  readonly whole: Hash;
  /** Null at the border of a chunk. */
  chunk: Hash | null;
  readonly chunks: Buffer[];
}

const algorithm = String(workerData);
const states = new Map<number, State>();
const newState = (): State => ({ whole: createHash(algorithm), chunk: null, chunks: [] });

function updateDigests(state: State, bytes: Uint8Array, endsChunk: boolean): void {
  state.chunk ??= createHash(algorithm);
  for (let at = 0; at < bytes.length; at += SLICE) {
    const slice = bytes.subarray(at, at + SLICE);
    state.whole.update(slice);
    state.chunk.update(slice);
  }
  if (endsChunk) endChunk(state);
}

function endChunk(state: State): void {
  if (state.chunk) state.chunks.push(state.chunk.digest());
  state.chunk = null;
}

function finishUpload(upload: number, state: State): HashReply['digests'] {
  states.delete(upload);
  endChunk(state);
  return { whole: state.whole.digest(), chunks: Buffer.concat(state.chunks) };
}

function answerRequest(request: HashRequest): HashReply | null {
  if (request.kind === 'begin') states.set(request.upload, newState());
  if (request.kind === 'drop') states.delete(request.upload);
  if (request.kind === 'begin' || request.kind === 'drop') return null;
  const state = states.get(request.upload);
  if (!state) return { ticket: request.ticket, lost: true };
  if (request.kind === 'finish') {
    return { ticket: request.ticket, lost: false, digests: finishUpload(request.upload, state) };
  }
  updateDigests(state, new Uint8Array(request.shared, 0, request.length), request.endsChunk);
  return { ticket: request.ticket, lost: false };
}

parentPort?.on('message', (request: HashRequest) => {
  const reply = answerRequest(request);
  if (reply) parentPort?.postMessage(reply);
});
