import { World } from '../engine/world.js';
import type { Traffic } from '../engine/traffic.js';
import { makeMesh, type MeshOptions } from '../mesh/mesh.js';
import { cutOff, lifeOf, makeSchedule } from '../mesh/scenario.js';
import { Random } from '../random.js';
import { CompactRules } from '../rules/compact-rules.js';
import { disagreementOn } from './agreement.js';
import { Durations, type Spread } from './durations.js';

export interface Order extends MeshOptions {
  readonly packages: number;
}

export interface Outcome {
  readonly order: Order;
  /** Feeds between servers: two a pair of peers. */
  readonly feeds: number;
  readonly cutOff: number;
  readonly traffic: Traffic;
  /** Bytes of all packages once. */
  readonly uploadedBytes: number;
  /** Seconds of simulated time. */
  readonly upload: Spread;
  readonly change: Spread;
  readonly catchUp: Spread;
  /** Cases of a server and a package at rest; see Disagreement. */
  readonly disagreements: number;
  readonly unreachable: number;
  readonly outdated: number;
  /** Of this program. */
  readonly runSeconds: number;
  readonly memoryMB: number;
}

const PROGRESS_MS = 2_000;

/** Lives the lives of all packages, one after the other. @param progress hears the part that is done, from 0 to 1 */
export function simulate(order: Order, progress: (part: number) => void): Outcome {
  const startedAt = performance.now();
  const mesh = makeMesh(order);
  const schedule = makeSchedule(mesh, order.packages);
  cutOff(mesh, schedule, order.seed);
  const world = new World(mesh, schedule);
  const rules = new CompactRules(mesh, world);
  const durations = new Durations();
  const random = new Random(order.seed + 2);
  let [disagreements, unreachable, outdated, uploadedBytes, toldAt] = [0, 0, 0, 0, startedAt];
  for (let index = 0; index < order.packages; index++) {
    const life = lifeOf(mesh, schedule, index, random);
    rules.begin(life);
    world.live(life, rules, (at, number) => durations.begin(at, number, world.changedAt));
    durations.end(Infinity, world.changedAt);
    const atRest = disagreementOn(mesh, life, rules);
    disagreements += atRest.disagreeing;
    unreachable += atRest.unreachable;
    outdated += atRest.outdated;
    uploadedBytes += life.size;
    if (performance.now() - toldAt < PROGRESS_MS) continue;
    progress(index / order.packages);
    toldAt = performance.now();
  }
  return {
    order,
    feeds: mesh.to.length,
    cutOff: mesh.awayUntil.filter(Number.isFinite).length,
    traffic: world.traffic,
    uploadedBytes,
    ...durations.spreads(),
    disagreements,
    unreachable,
    outdated,
    runSeconds: (performance.now() - startedAt) / 1000,
    memoryMB: process.memoryUsage().rss / 1e6,
  };
}
