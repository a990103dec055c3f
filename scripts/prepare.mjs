// The first step of every command: installs and builds what is missing or out of date. It uses only what Node itself contains.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const OLDEST_NODE = [20, 19];

const mtime = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

function newest(folder) {
  if (!existsSync(folder)) return 0;
  const times = readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? newest(path) : mtime(path);
  });
  return Math.max(0, ...times);
}

function run(what, command, args) {
  process.stderr.write(`${what} …\n`);
  const done = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (done.status !== 0) {
    process.stderr.write(`${what} failed (${command} ${args.join(' ')}). See the lines above.\n`);
    process.exit(1);
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  process.stderr.write(`Node ${OLDEST_NODE.join('.')} or newer is needed; this is ${process.versions.node}.\n`);
  process.exit(1);
}

/** A link leads to the packages of another checkout: `npm ci` would empty them, so they are left alone. */
const isLinked = (path) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;

function install() {
  if (isLinked(join(root, 'node_modules'))) return;
  if (mtime(join(root, 'node_modules/.package-lock.json')) >= mtime(join(root, 'package-lock.json'))) return;
  run('Installing the npm packages', 'npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
}

const stamp = join(root, 'dist/.built');

/** Removes compiled migrations whose source has another name now, because the server runs every file in dist/migrations. */
function removeStaleMigrations() {
  const folder = join(root, 'dist/migrations');
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const source = join(root, 'migrations', name.replace(/(?:\.js|\.js\.map)$/, '.ts'));
    if (!existsSync(source)) rmSync(join(folder, name));
  }
}

/** Builds, and notes when it did. */
export function build() {
  run('Compiling', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json']);
  removeStaleMigrations();
  run('Bundling', process.execPath, [join(root, 'scripts/bundle.mjs')]);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, '');
}

function buildWhatChanged() {
  const sources = ['src', 'migrations', 'test/bench', 'test/simulate', 'test/support'].map((folder) =>
    newest(join(root, folder)),
  );
  const files = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json', 'scripts/bundle.mjs'].map((file) =>
    mtime(join(root, file)),
  );
  if (mtime(stamp) < Math.max(...sources, ...files)) build();
}

export function prepare() {
  checkNode();
  install();
  buildWhatChanged();
}
