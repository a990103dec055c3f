import { join } from 'node:path';
import { registerPeers } from '../../../../src/cli/demo/demo-steps.js';
import { BenchServer, stopAll } from '../../bench-server.js';
import { inSeconds, inTurn, type BenchContext, type Figure, type Result } from '../../figure.js';
import { makeFile, shell } from '../../machine.js';
import { LINK_SPEEDS, type LinkSpeed } from './links.js';
import { linkBetween, timedReplication } from './replication.js';

interface Scene extends BenchContext {
  readonly a: BenchServer;
  readonly b: BenchServer;
  readonly c: BenchServer;
  readonly file: string;
}

async function compare(scene: Scene, { name, bytesPerSecond }: LinkSpeed): Promise<Result> {
  const { a, b, c, file, folder } = scene;
  const close = [await linkBetween(c, a, bytesPerSecond), await linkBetween(c, b, bytesPerSecond)];
  const fetched = (from: readonly BenchServer[]) =>
    timedReplication({ uploadTo: [a, b], first: c, from, holders: [c], file, folder });
  try {
    const times = await inTurn(scene, { two: () => fetched([a, b]), one: () => fetched([a]) });
    return {
      what: `two sources / one (${name})`,
      ours: inSeconds(times.two),
      rival: `one source ${inSeconds(times.one)}`,
      value: times.two / times.one,
      mark: { atMost: 1.05 },
    };
  } finally {
    for (const end of close) end();
  }
}

/** A package that A and B both have, fetched by C: from both, against from A alone. Each link has its own limit. */
export const twoSources: Figure = async (context) => {
  const file = join(context.folder, 'two-sources');
  await makeFile(file, context.size / 2);
  const start = (name: string) => BenchServer.start(context.folder, `sources-${name}`);
  const [a, b, c] = await Promise.all([start('a'), start('b'), start('c')]);
  const scene = { ...context, a, b, c, file };
  try {
    await registerPeers(a.client, c.client);
    await registerPeers(b.client, c.client);
    const results: Result[] = [];
    for (const speed of LINK_SPEEDS) results.push(await compare(scene, speed));
    return results;
  } finally {
    await stopAll([a, b, c]);
    await shell(`rm -f '${file}'`);
  }
};
