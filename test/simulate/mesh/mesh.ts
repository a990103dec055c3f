import { STAGES } from '../../../src/kernel/stage.js';
import { Random } from '../random.js';
import { pairsOf, type Shape } from './graph.js';

export interface MeshOptions {
  readonly shape: Shape;
  readonly servers: number;
  /** Peers of a server on average; for random graphs. */
  readonly degree: number;
  readonly seed: number;
}

/**
 * Servers and the feeds between them, in typed arrays. Edge e is the feed from `from[e]` to the follower `to[e]`; the
 * feeds that a server gives are `first[s]` to `first[s + 1] - 1`, and `back[e]` is the feed the other way.
 */
export interface Mesh {
  readonly servers: number;
  readonly first: Int32Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly back: Int32Array;
  /** One way, in seconds. */
  readonly latency: Float64Array;
  /** Index into STAGES. */
  readonly stage: Uint8Array;
  /** Bytes a second, each way. */
  readonly speed: Float64Array;
  /** When a server is cut off from all others, in seconds; both Infinity when it never is. */
  readonly awayFrom: Float64Array;
  readonly awayUntil: Float64Array;
}

const LATENCY_S = { low: 0.0005, high: 0.04 };
/** 100 Mbit/s and 1 Gbit/s. */
const SPEEDS = [12.5e6, 125e6, 125e6, 125e6] as const;
/** Parts of the servers that take packages of stage Dev, and of Test. */
const DEV = 0.2;
const TEST = 0.4;

export function makeMesh({ shape, servers, degree, seed }: MeshOptions): Mesh {
  const random = new Random(seed);
  const pairs = pairsOf(shape, servers, degree, random);
  const feeds = pairs
    .flatMap(([a, b]) => [[a, b] as const, [b, a] as const])
    .sort((x, y) => x[0] - y[0] || x[1] - y[1]);
  const first = new Int32Array(servers + 1);
  for (const [from] of feeds) first[from + 1]! += 1;
  for (let s = 0; s < servers; s++) first[s + 1]! += first[s]!;
  const from = Int32Array.from(feeds, ([a]) => a);
  const to = Int32Array.from(feeds, ([, b]) => b);
  const edgeOf = new Map(feeds.map(([a, b], e) => [a * servers + b, e]));
  const back = Int32Array.from(feeds, ([a, b]) => edgeOf.get(b * servers + a) ?? -1);
  const latency = new Float64Array(feeds.length);
  for (let e = 0; e < feeds.length; e++)
    latency[e] = back[e]! < e ? latency[back[e]!]! : random.between(LATENCY_S.low, LATENCY_S.high);
  const speed = Float64Array.from({ length: servers }, () => SPEEDS[random.below(SPEEDS.length)]!);
  const never = () => new Float64Array(servers).fill(Infinity);
  return {
    servers,
    first,
    from,
    to,
    back,
    latency,
    stage: stagesOf(servers, first, to),
    speed,
    awayFrom: never(),
    awayUntil: never(),
  };
}

/**
 * A server hands on only what it takes itself, so all that take a stage must hang together: from server 0 outwards
 * first come those of Dev, then Test, then Prod.
 */
function stagesOf(servers: number, first: Int32Array, to: Int32Array): Uint8Array {
  const stage = new Uint8Array(servers).fill(STAGES.indexOf('Prod'));
  const seen = new Set([0]);
  let place = 0;
  for (const s of seen) {
    if (place < Math.max(1, DEV * servers)) stage[s] = STAGES.indexOf('Dev');
    else if (place < TEST * servers) stage[s] = STAGES.indexOf('Test');
    place += 1;
    for (let e = first[s]!; e < first[s + 1]!; e++) seen.add(to[e]!);
  }
  return stage;
}
