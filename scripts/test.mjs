// npm test: installs what is missing, then format, lint, types, import rules and every level of tests; the first failure ends it.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

prepare();
const bin = (name) => join(root, 'node_modules/.bin', name);
const steps = [
  ['Format', bin('oxfmt'), ['--check']],
  ['Lint', bin('oxlint'), ['--deny-warnings']],
  ['Types', bin('tsc'), ['--noEmit', '-p', 'tsconfig.json']],
  ['Import rules', bin('depcruise'), ['src', '--config', '.dependency-cruiser.cjs']],
  ['Unit tests', bin('vitest'), ['run', '--project', 'unit']],
  ['Integration tests', bin('vitest'), ['run', '--project', 'integration']],
  ['End-to-end tests', bin('vitest'), ['run', '--project', 'e2e']],
];
for (const [what, command, args] of steps) {
  const startedAt = Date.now();
  console.log(`\n== ${what}`);
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  console.log(
    `== ${what}: ${done.status === 0 ? 'ok' : 'FAILED'} in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`,
  );
  if (done.status !== 0) process.exit(done.status ?? 1);
}
