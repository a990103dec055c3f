import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findFreePort } from '../../../src/cli/demo/server-process.js';
import { shell, timed } from '../machine.js';

const nginxConfig = (folder: string, root: string, port: number): string => `
daemon off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log; worker_processes auto; user root;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; open_file_cache max=1000;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  server { listen 127.0.0.1:${port}; root ${root}; autoindex on; } }`;

/** An nginx that does nothing but serve a folder. */
export async function startNginx(folder: string, root: string): Promise<{ url: string; stop: () => void }> {
  const port = await findFreePort(0);
  const config = join(folder, 'nginx.conf');
  writeFileSync(config, nginxConfig(folder, root, port));
  const nginx = spawn('nginx', ['-c', config], {
    stdio: 'ignore',
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` },
  });
  const url = `http://127.0.0.1:${port}`;
  for (let i = 0; i < 100 && !(await fetch(url).catch(() => null)); i++) await delay(50);
  return { url, stop: () => nginx.kill('SIGTERM') };
}

/** Seconds of one download. */
export const curl = (url: string) => () => timed(() => shell(`curl -sSf -o /dev/null '${url}'`));

/** Requests a second, with 64 connections kept alive. */
export async function requestsPerSecond(url: string): Promise<number> {
  const report = await shell(`wrk -t 2 -c 64 -d 4s '${url}'`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(report)?.[1]);
}
