import type { PackageEntity } from '../../../src/modules/packages/read-model/package.entity.js';
import { packageEvents } from '../../../src/modules/packages/contracts/package.events.js';
import type { Answered } from './steps.js';
import type { Mesh } from './mesh.js';
import type { MeshServer } from './mesh-server.js';
import { isGone, type Shown } from './shown.js';

const registersOf = ({
  stage,
  stageStamp,
  publication,
  removal,
  firstPublishedAt,
  originId,
  uploadedBy,
}: PackageEntity): string =>
  JSON.stringify({ stage, stageStamp, publication, removal, firstPublishedAt, originId, uploadedBy });

const told = (id: string, row: PackageEntity | undefined): string =>
  row ? `${id}: held ${row.held}, fetching ${row.fetching}, ${registersOf(row)}` : `${id}: unknown`;

/** What two servers that follow each other do not agree on, without the packages on which they need not. */
function betweenTwo(a: Shown, b: Shown, names: string, mayDiffer: (packageId: string) => boolean): string[] {
  const faults: string[] = [];
  const excused = new Set([...a.packages, ...b.packages].filter(({ id }) => mayDiffer(id)).map((row) => row.filename));
  for (const ours of a.packages.filter(({ id }) => !mayDiffer(id))) {
    const theirs = b.find(ours.id);
    const both = `${names}: ${ours.filename}\n  ${told('here', ours)}\n  ${told('there', theirs)}`;
    if (theirs && registersOf(ours) !== registersOf(theirs)) faults.push(`registers differ, ${both}`);
    if (ours.held && !isGone(ours) && b.takes(ours) && !theirs?.held) faults.push(`not held there, ${both}`);
    if (excused.has(ours.filename)) continue;
    if (a.stage === b.stage && a.served(ours.filename)?.id !== b.served(ours.filename)?.id)
      faults.push(`serve different files, ${both}`);
  }
  return faults;
}

/** What is wrong with one server by itself. */
function within(server: MeshServer): string[] {
  const shown = server.shown();
  const { published, staged, uploads, aside } = server.disk;
  const faults = shown.packages.flatMap((row) => {
    const wrong = [
      row.held && published.get(row.id) !== row.sha256 && 'held without its file',
      row.held && isGone(row) && 'held and removed',
      row.fetching === 'FAILED' && 'failed',
      isGone(row) && row.fetching !== null && 'fetched and removed',
      !row.held && published.has(row.id) && 'its file is left',
      row.fetching === null && staged.has(row.id) && 'staged',
      !shown.takes(row) && row.fetching !== null && 'fetched and out of reach',
    ];
    return wrong
      .filter((fault) => fault !== false)
      .map((fault) => `${server.id}: ${fault}: ${row.filename} ${told('here', row)}`);
  });
  for (const id of [...published.keys(), ...staged.keys()])
    if (!shown.find(id)) faults.push(`${server.id}: a file of nothing known`);
  return uploads.size + aside.size > 0 ? [...faults, `${server.id}: leftovers`] : faults;
}

/** Was the last upload of a package on a server removed, whatever was published elsewhere since? */
function wasRemoved({ file }: MeshServer, packageId: string): boolean {
  const events = file.of(`package-${packageId}`).flatMap((record) => packageEvents.read(record) ?? []);
  const uploads = events.flatMap((event) =>
    event.type === 'PackagePublished' && event.data.source.kind === 'local' ? [event.data.publication] : [],
  );
  return events.some((event) => event.type === 'PackageRemoved' && event.data.stamp > (uploads.at(-1) ?? ''));
}

interface Expected {
  /** The servers that are looked at, all when they are not given. */
  readonly among?: readonly MeshServer[];
  /** True when one of two neighbours refuses what the other knows of packages, so that they need not agree on them. */
  readonly allowsRefused?: boolean;
}

/** Everything that is not as it should be when the mesh is at rest; empty when all is well. */
export function disagreements(
  mesh: Mesh,
  answered: readonly Answered[],
  { among = mesh.servers, allowsRefused = false }: Expected = {},
): string[] {
  const shown = new Map(among.map((server) => [server, server.shown()]));
  const ofPairs = mesh.links.flatMap(({ follower, peer }) => {
    const [a, b] = [shown.get(follower), shown.get(peer)];
    const mayDiffer = (id: string): boolean =>
      allowsRefused && (follower.refusals.has(peer.id, id) || peer.refusals.has(follower.id, id));
    return a && b ? betweenTwo(a, b, `${follower.id} (${a.stage}) and ${peer.id} (${b.stage})`, mayDiffer) : [];
  });
  const lost = answered.flatMap(({ id, server }) => {
    const found = shown.get(mesh.server(server));
    if (!found) return [];
    const row = found.find(id);
    return row && (row.held || wasRemoved(mesh.server(server), id))
      ? []
      : [`lost what was uploaded on ${mesh.server(server).id}: ${told(id, row)}`];
  });
  return [...among.flatMap(within), ...ofPairs, ...lost];
}
