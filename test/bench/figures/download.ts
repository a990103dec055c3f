import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../../src/app/demo/server-process.js';
import { BenchServer } from '../bench-server.js';
import { inSeconds, inTurn, type BenchContext, type Figure, type Result, type Skipped } from '../figure.js';
import { have, makeFile, shell, timed } from '../machine.js';

const SMALL = 64 * 1024;

const nginxConfig = (folder: string, root: string, port: number): string => `
daemon off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log; worker_processes auto; user root;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; open_file_cache max=1000;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  server { listen 127.0.0.1:${port}; root ${root}; } }`;

async function startNginx(folder: string, root: string): Promise<{ url: string; stop: () => void }> {
  const port = await freePort(0);
  const config = join(folder, 'nginx.conf');
  writeFileSync(config, nginxConfig(folder, root, port));
  const nginx = spawn('nginx', ['-c', config], { stdio: 'ignore', env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` } });
  const url = `http://127.0.0.1:${port}`;
  for (let i = 0; i < 100 && !(await fetch(url).catch(() => null)); i++) await delay(50);
  return { url, stop: () => nginx.kill('SIGTERM') };
}

const curl = (url: string) => () => timed(() => shell(`curl -sSf -o /dev/null '${url}'`));

/** Requests a second, with 64 connections kept alive. */
async function requestsPerSecond(url: string): Promise<number> {
  const report = await shell(`wrk -t 2 -c 64 -d 4s '${url}'`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(report)?.[1]);
}

async function compare(context: BenchContext, server: BenchServer, nginx: string, ids: { large: string; small: string }) {
  const results: (Result | Skipped)[] = [];
  const large = await inTurn(context, {
    ours: curl(`${server.url}/Packages/large.pkg`),
    nginx: curl(`${nginx}/${ids.large}`),
  });
  results.push({
    what: 'download of the large package / nginx (speed)',
    ours: inSeconds(large.ours), rival: `nginx ${inSeconds(large.nginx)}`, value: large.nginx / large.ours, mark: { atLeast: 1 },
  });
  if (!have('wrk')) return [...results, { what: 'downloads of 64 KiB / nginx', skipped: 'wrk is not installed' }];
  const small = await inTurn({ ...context, folder: context.folder, runs: Math.min(3, context.runs) }, {
    ours: () => requestsPerSecond(`${server.url}/Packages/small.pkg`),
    nginx: () => requestsPerSecond(`${nginx}/${ids.small}`),
  });
  results.push({
    what: 'downloads of 64 KiB / nginx (requests a second)',
    ours: small.ours.toFixed(0), rival: `nginx ${small.nginx.toFixed(0)}`, value: small.ours / small.nginx, mark: { atLeast: 0.4 },
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
    await server.process.stop();
    await shell(`rm -f '${files.large}' '${files.small}'`);
  }
};
