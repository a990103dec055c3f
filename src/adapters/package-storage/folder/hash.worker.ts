import { createHash, type Hash } from 'node:crypto';
import { workerData } from 'node:worker_threads';
import { serveCalls } from '../../shared/worker-client.js';
import type { Digests, HashRequest } from './upload-hashing.js';

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

function finishUpload(upload: number, state: State): Digests {
  states.delete(upload);
  endChunk(state);
  return { whole: state.whole.digest(), chunks: Buffer.concat(state.chunks) };
}

serveCalls<HashRequest, Digests | null>((request) => {
  const { kind, upload } = request;
  if (kind === 'begin') states.set(upload, newState());
  if (kind === 'drop') states.delete(upload);
  if (kind === 'begin' || kind === 'drop') return null;
  const state = states.get(upload);
  if (!state) throw new Error(`The ${algorithm} thread was restarted during the upload`);
  if (kind === 'finish') return finishUpload(upload, state);
  updateDigests(state, new Uint8Array(request.shared, 0, request.length), request.endsChunk);
  return null;
});
