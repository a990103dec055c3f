import { join } from 'node:path';
import { startBenchPair, stopAll, type BenchServer } from '../../bench-server.js';
import { inSeconds, inTurn, type BenchContext, type Figure, type Result, type Skipped } from '../../figure.js';
import { have, makeFile, median, shell } from '../../machine.js';
import { durableAndChecked, timedCopy } from '../../rivals/copies.js';
import { SyncthingPair } from '../../rivals/syncthing.js';
import { timedReplication } from './replication.js';

interface Scene extends BenchContext {
  readonly file: string;
  readonly a: BenchServer;
  readonly b: BenchServer;
}

const ours =
  ({ a, b, file, folder }: Scene) =>
  () =>
    timedReplication({ uploadTo: [a], first: b, from: [a], holders: [b], file, folder });

/** Against a copy by a program that is made durable and checked. */
async function againstCopy(
  scene: Scene,
  name: string,
  command: (copy: string) => string,
  atMost: number,
): Promise<Result | Skipped> {
  const { folder } = scene;
  const copy = join(folder, 'mirror-copy');
  const what = `mirror / ${name} + fsync + openssl sha1`;
  const program = name.split(' ')[0] ?? name;
  if (!have(program)) return { what, skipped: `${program} is not installed` };
  const times = await inTurn(scene, {
    ours: ours(scene),
    rival: () => timedCopy(`${command(copy)}; ${durableAndChecked(copy, folder)}`, `rm -f '${copy}'`),
  });
  return {
    what,
    ours: inSeconds(times.ours),
    rival: `${program} … ${inSeconds(times.rival)}`,
    value: times.ours / times.rival,
    mark: { atMost },
  };
}

/** Against two Syncthings. The mark is for a sync with its scan; what it takes after the scan is shown beside it. */
async function againstSyncthing(scene: Scene): Promise<Result | Skipped> {
  const what = 'mirror: Syncthing / ours';
  if (!have('syncthing')) return { what, skipped: 'syncthing is not installed' };
  const pair = await SyncthingPair.start(scene.folder);
  const afterScan: number[] = [];
  try {
    const times = await inTurn(scene, {
      ours: ours(scene),
      rival: async () => {
        const sync = await pair.sync([scene.file], scene.folder);
        afterScan.push(sync.afterScan);
        return sync.withScan;
      },
    });
    const rival = `Syncthing ${inSeconds(times.rival)} with its scan, ${inSeconds(median(afterScan))} after it`;
    return { what, ours: inSeconds(times.ours), rival, value: times.rival / times.ours, mark: { atLeast: 2 } };
  } finally {
    await pair.stop();
  }
}

async function againstAll(scene: Scene): Promise<(Result | Skipped)[]> {
  const { a, b, file } = scene;
  const rsync = await againstCopy(scene, 'rsync -aW --fsync', (copy) => `rsync -aW --fsync '${file}' '${copy}'`, 1.1);
  const served = await a.upload(file, 'curl-source.pkg');
  await b.waitUntilServed('curl-source.pkg');
  const curl = await againstCopy(
    scene,
    'curl from A',
    (copy) => `curl -sSo '${copy}' '${a.url}/Packages/curl-source.pkg'`,
    1.5,
  );
  await a.remove(served);
  await b.waitUntilGone('curl-source.pkg');
  return [rsync, curl, await againstSyncthing(scene)];
}

/** A large package to another server, against the usual ways to copy a file. */
export const mirror: Figure = async (context) => {
  const file = join(context.folder, 'mirror-source');
  await makeFile(file, context.size);
  const [a, b] = await startBenchPair(context.folder);
  try {
    return await againstAll({ ...context, file, a, b });
  } finally {
    await stopAll([a, b]);
    await shell(`rm -f '${file}'`);
  }
};
