import type { Mesh } from '../mesh/mesh.js';
import type { PackageLife } from '../mesh/scenario.js';
import { firstIn, isHeld, pack, publicationIn, registersIn, removalIn, stageIn, type Rules } from '../rules/rules.js';

export interface Disagreement {
  /** Servers that may have the package and differ from the others, or lack its bytes; and others that hold a copy. 0 is convergence. */
  readonly disagreeing: number;
  /** Servers that may have it, but all that hold it are behind servers that may not, and hand nothing on. */
  readonly unreachable: number;
  /** Servers that may not have it, knew it once and were not told the latest of it. */
  readonly outdated: number;
}

/** What is wrong with a package at rest. */
export function disagreementOn(mesh: Mesh, { changes }: PackageLife, rules: Rules): Disagreement {
  const latest = latestOf(mesh, rules);
  const change = changes[stageIn(latest) - 1];
  const isRemoved = removalIn(latest) > publicationIn(latest);
  const stage = change !== undefined && change.kind !== 'remove' && !isRemoved ? change.stage : -1;
  const reached = reachedFrom(mesh, rules, stage);
  let [disagreeing, unreachable, outdated] = [0, 0, 0];
  for (let server = 0; server < mesh.servers; server++) {
    const item = rules.itemOf(server);
    const mayHave = stage >= mesh.stage[server]!;
    if (mayHave && reached[server] === 0) unreachable += 1;
    else if (rules.isPending(server) || (mayHave ? item !== latest : isRemoved && isHeld(item))) disagreeing += 1;
    else if (!mayHave && item !== 0 && registersIn(item) !== registersIn(latest)) outdated += 1;
  }
  return { disagreeing, unreachable, outdated };
}

/** 1 for servers that hold the package, and for those that may have it and have such a server as a peer. */
function reachedFrom(mesh: Mesh, rules: Rules, stage: number): Uint8Array {
  const reached = Uint8Array.from({ length: mesh.servers }, (_, server) => (isHeld(rules.itemOf(server)) ? 1 : 0));
  const open = Array.from(reached.keys()).filter((server) => reached[server] === 1);
  for (let server = open.pop(); server !== undefined; server = open.pop()) {
    for (let edge = mesh.first[server]!; edge < mesh.first[server + 1]!; edge++) {
      const peer = mesh.to[edge]!;
      if (reached[peer] === 1 || stage < mesh.stage[peer]!) continue;
      reached[peer] = 1;
      open.push(peer);
    }
  }
  return reached;
}

/** The latest of each register that any server has, as one that holds the package would tell it. */
function latestOf(mesh: Mesh, rules: Rules): number {
  let [publication, stage, removal, first] = [0, 0, 0, 31];
  for (let server = 0; server < mesh.servers; server++) {
    const item = rules.itemOf(server);
    if (item === 0) continue;
    publication = Math.max(publication, publicationIn(item));
    stage = Math.max(stage, stageIn(item));
    removal = Math.max(removal, removalIn(item));
    first = Math.min(first, firstIn(item));
  }
  return pack(publication, stage, removal, first, true);
}
