import type { Mesh } from '../mesh/mesh.js';
import type { PackageLife } from '../mesh/scenario.js';
import { firstIn, isHeld, pack, publicationIn, registersIn, removalIn, stageIn, type Rules } from '../rules/rules.js';

/** What is wrong with a package at rest, in servers. */
export interface Disagreement {
  /** May have the package and differ from the others or lack bytes that a peer has; or may not, and hold a copy. 0 is convergence. */
  disagreeing: number;
  /** May have it, and no peer of theirs does: those between them and it may not, and hand nothing on. */
  unreachable: number;
  /** May not have it, knew it once and were not told the latest of it. */
  outdated: number;
}

/**
 * Servers that know the package and hang together are compared with each other. Two such groups come about when a
 * package is uploaded on both sides of servers that may not have it: neither can hear of the other.
 */
export function disagreementOn(mesh: Mesh, life: PackageLife, rules: Rules): Disagreement {
  const found: Disagreement = { disagreeing: 0, unreachable: 0, outdated: 0 };
  const seen = new Uint8Array(mesh.servers);
  for (let server = 0; server < mesh.servers; server++) {
    if (seen[server] === 0 && rules.itemOf(server) !== 0)
      compare(groupOf(server, mesh, rules, seen), mesh, life, rules, found);
  }
  return found;
}

/** The servers around one that know the package, and behind them the peers of these that do not. */
function groupOf(start: number, mesh: Mesh, rules: Rules, seen: Uint8Array): number[] {
  const group = [start];
  seen[start] = 1;
  for (const server of group) {
    if (rules.itemOf(server) === 0) continue;
    for (let edge = mesh.first[server]!; edge < mesh.first[server + 1]!; edge++) {
      const peer = mesh.to[edge]!;
      if (seen[peer] === 0) group.push(peer);
      seen[peer] = 1;
    }
  }
  return group;
}

function compare(
  group: readonly number[],
  mesh: Mesh,
  { changes }: PackageLife,
  rules: Rules,
  found: Disagreement,
): void {
  const latest = latestOf(group, rules);
  const change = changes[stageIn(latest) - 1];
  const isRemoved = removalIn(latest) > publicationIn(latest);
  const stage = change !== undefined && change.kind !== 'remove' && !isRemoved ? change.stage : -1;
  for (const server of group) {
    const item = rules.itemOf(server);
    const mayHave = stage >= mesh.stage[server]!;
    const differs = item !== 0 && registersIn(item) !== registersIn(latest);
    if (rules.isPending(server) || (mayHave ? differs : isRemoved && isHeld(item))) found.disagreeing += 1;
    else if (!mayHave && differs) found.outdated += 1;
    else if (mayHave && !isHeld(item)) found[hasHolder(server, mesh, rules) ? 'disagreeing' : 'unreachable'] += 1;
  }
}

function hasHolder(server: number, mesh: Mesh, rules: Rules): boolean {
  for (let edge = mesh.first[server]!; edge < mesh.first[server + 1]!; edge++) {
    if (isHeld(rules.itemOf(mesh.to[edge]!))) return true;
  }
  return false;
}

/** The latest of each register that a server of the group has. */
function latestOf(group: readonly number[], rules: Rules): number {
  let [publication, stage, removal, first] = [0, 0, 0, 31];
  for (const server of group) {
    const item = rules.itemOf(server);
    if (item === 0) continue;
    publication = Math.max(publication, publicationIn(item));
    stage = Math.max(stage, stageIn(item));
    removal = Math.max(removal, removalIn(item));
    first = Math.min(first, firstIn(item));
  }
  return pack(publication, stage, removal, first, true);
}
