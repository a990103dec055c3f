import { STAGES } from '../../../src/kernel/stage.js';
import { Random } from '../random.js';
import type { Mesh } from './mesh.js';

export type Deed = { readonly kind: 'upload' | 'stage'; readonly stage: number } | { readonly kind: 'remove' };

/** What users do with one package on one server. Deeds of a package are in the order of their times, no two at one time. */
export type Change = Deed & { readonly at: number; readonly server: number };

export interface PackageLife {
  /** Bytes. */
  readonly size: number;
  readonly changes: readonly Change[];
}

/** When what happens, in seconds: uploads, then changes of a part of the packages, then cut-off servers come back. */
export interface Schedule {
  readonly interval: number;
  readonly changesFrom: number;
  readonly returnsFrom: number;
}

/** Most changes of one package; their numbers go into five bits. */
export const MOST_CHANGES = 31;
const QUIET_S = 3_600;
const SMALLEST = 64 * 1024;
const LARGEST = 64 * 1024 * 1024;
/** Mean of a size whose logarithm is evenly spread. */
const MEAN = (LARGEST - SMALLEST) / Math.log(LARGEST / SMALLEST);
/** Part of the servers that are cut off for a while, and of the packages that are changed after their upload. */
const AWAY = 0.02;
const CHANGED = 0.1;
/** Share of its link that the busiest server needs for the uploads when it hands every package to all its peers. */
const LOAD = 0.5;
/** Two changes that do not know of each other are at most so far apart. */
const AT_ONCE_S = 0.02;

export function makeSchedule(mesh: Mesh, packages: number): Schedule {
  let interval = 0;
  for (let s = 0; s < mesh.servers; s++) {
    const peers = mesh.first[s + 1]! - mesh.first[s]!;
    interval = Math.max(interval, (peers * MEAN) / (LOAD * mesh.speed[s]!));
  }
  const changesFrom = packages * interval + QUIET_S;
  return { interval, changesFrom, returnsFrom: changesFrom + packages * interval + QUIET_S };
}

/** Cuts some servers off, from some time during the uploads until all return one after the other. */
export function cutOff(mesh: Mesh, schedule: Schedule, seed: number): void {
  const random = new Random(seed + 1);
  const cut = mesh.servers < 3 ? 0 : Math.max(1, Math.round(AWAY * mesh.servers));
  for (let i = 0; i < cut; i++) {
    // Server 0 takes uploads of every stage.
    const s = 1 + random.below(mesh.servers - 1);
    mesh.awayFrom[s] = random.between(0, schedule.changesFrom);
    mesh.awayUntil[s] = schedule.returnsFrom + random.between(0, 60);
  }
}

/** The life of package number `index`. */
export function lifeOf(mesh: Mesh, schedule: Schedule, index: number, random: Random): PackageLife {
  const size = Math.round(SMALLEST * (LARGEST / SMALLEST) ** random.next());
  const stage = random.next() < 0.7 ? STAGES.indexOf('Prod') : random.below(2);
  const at = index * schedule.interval + random.between(0, schedule.interval);
  const changes: Change[] = [{ kind: 'upload', stage, at, server: takerOf(mesh, stage, random) }];
  if (random.next() < CHANGED) changes.push(...laterChanges(mesh, at + schedule.changesFrom, random));
  return { size, changes };
}

/** One to three changes, some of them at about the same time on different servers. */
function laterChanges(mesh: Mesh, from: number, random: Random): Change[] {
  let at = from;
  return Array.from({ length: 1 + random.below(3) }, () => {
    at += random.next() < 0.5 ? random.between(0.001, AT_ONCE_S) : random.between(60, 600);
    const done = deed(random);
    return {
      ...done,
      at,
      server: done.kind === 'upload' ? takerOf(mesh, done.stage, random) : random.below(mesh.servers),
    };
  });
}

function deed(random: Random): Deed {
  const dice = random.next();
  if (dice < 0.3) return { kind: 'remove' };
  return { kind: dice < 0.4 ? 'upload' : 'stage', stage: random.below(STAGES.length) };
}

/** A server that takes packages of the stage. */
function takerOf(mesh: Mesh, stage: number, random: Random): number {
  for (;;) {
    const server = random.below(mesh.servers);
    if (stage >= mesh.stage[server]!) return server;
  }
}
