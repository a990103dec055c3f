import { join } from 'node:path';
import { Nginx } from '../../support/nginx/nginx.js';
import { BenchServer } from '../bench-server.js';
import { inSeconds, inTurn, type BenchContext, type Figure, type Result, type Skipped } from '../figure.js';
import { have, makeFile, shell } from '../machine.js';
import { curl, requestsPerSecond, startNginx } from '../rivals/nginx.js';

const SMALL = 64 * 1024;

/** Addresses of one file, by way of the server's nginx and of one that only serves files. */
interface Ways {
  readonly ours: string;
  readonly plain: string;
}

async function large(context: BenchContext, { ours, plain }: Ways): Promise<Result> {
  const times = await inTurn(context, { ours: curl(ours), plain: curl(plain) });
  return {
    what: 'through nginx, the large package / plain nginx',
    ours: inSeconds(times.ours),
    rival: `plain ${inSeconds(times.plain)}`,
    value: times.plain / times.ours,
    mark: { atLeast: 0.95 },
  };
}

async function small(context: BenchContext, { ours, plain }: Ways): Promise<Result | Skipped> {
  if (!have('wrk')) return { what: 'through nginx, 64 KiB / plain nginx', skipped: 'wrk is not installed' };
  const rates = await inTurn(
    { ...context, runs: Math.min(3, context.runs) },
    {
      ours: () => requestsPerSecond(ours),
      plain: () => requestsPerSecond(plain),
    },
  );
  return {
    what: 'through nginx, 64 KiB / plain nginx (requests/s)',
    ours: rates.ours.toFixed(0),
    rival: `plain ${rates.plain.toFixed(0)}`,
    value: rates.ours / rates.plain,
    mark: { atLeast: 0.5 },
  };
}

/** What endpoints get from a server behind docker/nginx.conf, against nginx alone with the very same files. */
export const behindNginx: Figure = async (context) => {
  if (!have('nginx')) return [{ what: 'through nginx / plain nginx', skipped: 'nginx is not installed' }];
  const { folder, size } = context;
  const files = { large: join(folder, 'large'), small: join(folder, 'small') };
  await makeFile(files.large, size);
  await makeFile(files.small, SMALL);
  const server = await BenchServer.start(folder, 'behind-nginx', {
    ODST_ACCEL_REDIRECT: '/_odst/packages/',
    ODST_TRUSTED_PROXIES: 'loopback',
  });
  const { dataDir, port } = server.process.options;
  const front = await Nginx.start({ ports: [port], dataDir });
  const plain = await startNginx(folder, server.packages);
  const ways = async (file: string, filename: string): Promise<Ways> => ({
    plain: `${plain.url}/${await server.upload(file, filename)}`,
    ours: `${front.url}/Packages/${filename}`,
  });
  try {
    return [
      await large(context, await ways(files.large, 'large.pkg')),
      await small(context, await ways(files.small, 'small.pkg')),
    ];
  } finally {
    plain.stop();
    await front.stop();
    await server.stop();
    await shell(`rm -f '${files.large}' '${files.small}'`);
  }
};
