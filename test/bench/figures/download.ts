import { join } from 'node:path';
import { BenchServer } from '../bench-server.js';
import { inSeconds, inTurn, type BenchContext, type Figure, type Result, type Skipped } from '../figure.js';
import { have, makeFile, shell } from '../machine.js';
import { curl, requestsPerSecond, startNginx } from '../rivals/nginx.js';

const SMALL = 64 * 1024;

async function compare(
  context: BenchContext,
  server: BenchServer,
  nginx: string,
  ids: { large: string; small: string },
) {
  const results: (Result | Skipped)[] = [];
  const large = await inTurn(context, {
    ours: curl(`${server.url}/Packages/large.pkg`),
    nginx: curl(`${nginx}/${ids.large}`),
  });
  results.push({
    what: 'download of the large package / nginx (speed)',
    ours: inSeconds(large.ours),
    rival: `nginx ${inSeconds(large.nginx)}`,
    value: large.nginx / large.ours,
    mark: { atLeast: 1 },
  });
  if (!have('wrk')) return [...results, { what: 'downloads of 64 KiB / nginx', skipped: 'wrk is not installed' }];
  const small = await inTurn(
    { ...context, folder: context.folder, runs: Math.min(3, context.runs) },
    {
      ours: () => requestsPerSecond(`${server.url}/Packages/small.pkg`),
      nginx: () => requestsPerSecond(`${nginx}/${ids.small}`),
    },
  );
  results.push({
    what: 'downloads of 64 KiB / nginx (requests a second)',
    ours: small.ours.toFixed(0),
    rival: `nginx ${small.nginx.toFixed(0)}`,
    value: small.ours / small.nginx,
    mark: { atLeast: 0.4 },
  });
  return results;
}

/** What endpoints get, against nginx serving the very same files. */
export const download: Figure = async (context) => {
  if (!have('nginx')) return [{ what: 'download / nginx', skipped: 'nginx is not installed' }];
  const { folder, size } = context;
  const files = { large: join(folder, 'large'), small: join(folder, 'small') };
  await makeFile(files.large, size);
  await makeFile(files.small, SMALL);
  const server = await BenchServer.start(folder, 'downloads');
  const nginx = await startNginx(folder, server.packages);
  try {
    const large = await server.upload(files.large, 'large.pkg');
    const small = await server.upload(files.small, 'small.pkg');
    return await compare(context, server, nginx.url, { large, small });
  } finally {
    nginx.stop();
    await server.stop();
    await shell(`rm -f '${files.large}' '${files.small}'`);
  }
};
