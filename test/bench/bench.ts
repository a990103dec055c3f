import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { reached, type Figure, type Result, type Skipped } from './figure.js';
import { appends } from './figures/appends.js';
import { auditChain } from './figures/audit/chain.js';
import { audit } from './figures/audit/search.js';
import { behindNginx } from './figures/behind-nginx.js';
import { download } from './figures/download.js';
import { jobs } from './figures/jobs.js';
import { clusterLatency, latency } from './figures/latency.js';
import { afterKill } from './figures/mesh/after-kill.js';
import { chain } from './figures/mesh/chain.js';
import { manyFiles } from './figures/mesh/many-files.js';
import { memory } from './figures/mesh/memory.js';
import { mirror } from './figures/mesh/mirror.js';
import { twoSources } from './figures/mesh/two-sources.js';
import { projections } from './figures/projections.js';
import { upload } from './figures/upload.js';

const FIGURES: Readonly<Record<string, Figure>> = {
  upload,
  mirror,
  manyFiles,
  chain,
  afterKill,
  twoSources,
  download,
  behindNginx,
  appends,
  projections,
  audit,
  auditChain,
  jobs,
  latency,
  clusterLatency,
  memory,
};

const HELP = `npm run bench -- [options]
  --only NAME   one of ${Object.keys(FIGURES).join(', ')} (all); may be repeated
  --runs N      timed runs of each contender (5); medians are reported
  --size N      size of the large package in MiB (1024)
  --dir D       folder on the disk to measure (./data/bench)
  --json        one JSON object a line`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    runs: { type: 'string', default: '5' },
    size: { type: 'string', default: '1024' },
    dir: { type: 'string', default: 'data/bench' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function line(result: Result | Skipped): string {
  if (values.json) return JSON.stringify(result);
  if ('skipped' in result) return `${result.what.padEnd(48)} skipped: ${result.skipped}`;
  const { atMost, atLeast } = result.mark;
  const mark = atMost !== undefined ? `<= ${atMost}` : `>= ${atLeast}`;
  const verdict = reached(result) ? 'reached' : 'NOT REACHED';
  const judged = (atMost ?? atLeast) ? `(${mark}, ${verdict})` : '(no mark)';
  return `${result.what.padEnd(48)} ${result.value.toFixed(2).padStart(8)}  ${judged}  ours ${result.ours}, ${result.rival}`;
}

async function main(): Promise<void> {
  if (values.help) return console.log(HELP);
  mkdirSync(values.dir, { recursive: true });
  const folder = mkdtempSync(join(process.cwd(), values.dir, 'run-'));
  const context = { folder, runs: Number(values.runs), size: Number(values.size) * 1024 * 1024 };
  try {
    for (const name of values.only ?? Object.keys(FIGURES)) {
      const figure = FIGURES[name];
      if (!figure) throw new Error(`There is no figure ${name}.\n${HELP}`);
      for (const result of await figure(context)) console.log(line(result));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
