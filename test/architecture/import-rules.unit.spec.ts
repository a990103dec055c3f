import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseOptions, type IForbiddenRuleType } from 'dependency-cruiser';
import { afterAll, beforeAll, expect, it } from 'vitest';

interface Rules {
  forbidden: (IForbiddenRuleType & { name: string })[];
  options: ICruiseOptions;
}
const rules: Rules = createRequire(import.meta.url)('../../.dependency-cruiser.cjs');

/** One forbidden import for each rule: the file, and what it reaches for. */
const PLANTED: Readonly<Record<string, readonly [from: string, to: string]>> = {
  'kernel-is-a-leaf': ['src/kernel/a.ts', 'src/ports/x.port.ts'],
  'ports-see-kernel': ['src/ports/a.port.ts', 'src/platform/x.ts'],
  'adapter-sees-ports-and-itself': ['src/adapters/event-store/postgres/a.ts', 'src/adapters/event-store/other/x.ts'],
  'platform-sees-ports': ['src/platform/a.ts', 'src/modules/packages/contracts/x.ts'],
  'contracts-see-kernel': ['src/modules/packages/contracts/a.ts', 'src/modules/packages/domain/x.ts'],
  'domain-is-pure': ['src/modules/packages/domain/a.ts', 'src/platform/x.ts'],
  'commands-write': ['src/modules/packages/commands/a.ts', 'src/modules/packages/projections/x.ts'],
  'projections-fold': ['src/modules/packages/projections/a.ts', 'src/modules/packages/commands/x.ts'],
  'queries-read': ['src/modules/packages/queries/a.ts', 'src/modules/packages/commands/x.ts'],
  'reactions-translate': ['src/modules/packages/reactions/a.ts', 'src/modules/packages/projections/x.ts'],
  'jobs-do-io-then-command': ['src/modules/packages/jobs/a.ts', 'src/modules/packages/projections/x.ts'],
  'api-dispatches': ['src/modules/packages/api/a.ts', 'src/modules/packages/projections/x.ts'],
  'feed-serves-contracts': ['src/modules/replication/feed/a.ts', 'src/modules/replication/commands/x.command.ts'],
  'subscriber-dispatches': ['src/modules/replication/subscriber/a.ts', 'src/modules/replication/jobs/x.ts'],
  'tunnel-carries-calls': ['src/modules/peers/tunnel/a.ts', 'src/modules/peers/commands/x.ts'],
  'module-file-wires-itself': ['src/modules/packages/packages.module.ts', 'src/modules/peers/commands/x.ts'],
  'domain-has-no-packages': ['src/modules/packages/domain/b.ts', 'node:fs'],
  'no-cycles': ['src/platform/b.ts', 'src/platform/c.ts'],
};

const folder = mkdtempSync(join(tmpdir(), 'odst-import-rules-'));

function plant(from: string, to: string): void {
  const file = join(folder, from);
  const specifier = to.startsWith('src/') ? `${'../'.repeat(dirname(from).split('/').length)}${to}` : to;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `import * as x from '${specifier.replace(/\.ts$/, '.js')}';\nexport const used = x;\n`);
  if (!to.startsWith('src/') || existsSync(join(folder, to))) return;
  mkdirSync(dirname(join(folder, to)), { recursive: true });
  writeFileSync(join(folder, to), 'export const planted = 1;\n');
}

let reported: Set<string>;

beforeAll(async () => {
  writeFileSync(
    join(folder, 'tsconfig.json'),
    '{"compilerOptions":{"module":"nodenext","moduleResolution":"nodenext"}}',
  );
  for (const [from, to] of Object.values(PLANTED)) plant(from, to);
  plant('src/platform/c.ts', 'src/platform/b.ts');
  const { forbidden, options } = rules;
  const result = await cruise(['src'], { ...options, baseDir: folder, ruleSet: { forbidden }, validate: true });
  const { output } = result;
  if (typeof output === 'string') throw new Error(output);
  reported = new Set(output.summary.violations.map((violation) => violation.rule.name));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each(rules.forbidden.map((rule) => rule.name))('catches a planted violation of %s', (name) => {
  expect(Object.keys(PLANTED)).toContain(name);
  expect(reported).toContain(name);
});
