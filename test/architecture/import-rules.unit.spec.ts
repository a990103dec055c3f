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

/** One forbidden import for each rule: a chain of files, each of which imports the next. */
const PLANTED: Readonly<Record<string, readonly string[]>> = {
  'server-sees-lower-modules': ['src/modules/server/low.ts', 'src/modules/peers/contracts/x.ts'],
  'accounts-sees-lower-modules': ['src/modules/accounts/low.ts', 'src/modules/packages/contracts/x.ts'],
  'peers-sees-lower-modules': ['src/modules/peers/low.ts', 'src/modules/replication/contracts/x.ts'],
  'packages-sees-lower-modules': ['src/modules/packages/low.ts', 'src/modules/replication/contracts/x.ts'],
  'replication-sees-lower-modules': ['src/modules/replication/low.ts', 'src/modules/downloads/contracts/x.ts'],
  'queue-sees-lower-modules': ['src/modules/queue/low.ts', 'src/modules/audit/contracts/x.ts'],
  'downloads-sees-lower-modules': ['src/modules/downloads/low.ts', 'src/modules/audit/contracts/x.ts'],
  'problems-sees-lower-modules': ['src/modules/problems/low.ts', 'src/modules/audit/contracts/x.ts'],
  'audit-sees-lower-modules': ['src/modules/audit/low.ts', 'src/modules/notifications/contracts/x.ts'],
  'kernel-is-a-leaf': ['src/kernel/a.ts', 'src/ports/x.port.ts'],
  'ports-see-kernel': ['src/ports/a.port.ts', 'src/platform/x.ts'],
  'adapter-sees-ports-and-itself': ['src/adapters/event-store/postgres/a.ts', 'src/adapters/event-store/other/x.ts'],
  'adapter-without-engine-sees-ports': ['src/adapters/shared/a.ts', 'src/adapters/event-store/postgres/x.ts'],
  'platform-sees-ports': ['src/platform/a.ts', 'src/modules/packages/contracts/x.ts'],
  'server-sees-no-program': ['src/server/boot/a.ts', 'src/cli/demo/x.ts'],
  'modules-meet-in-contracts': ['src/modules/packages/packages.module.ts', 'src/modules/peers/keys/x.ts'],
  'contracts-see-kernel': ['src/modules/packages/contracts/a.ts', 'src/modules/packages/upload/x.ts'],
  'deciders-are-pure': [
    'src/modules/packages/lifecycle/a.decider.ts',
    'src/modules/packages/lifecycle/h.ts',
    'src/ports/y.port.ts',
  ],
  'kernel-and-contracts-have-no-packages': ['src/modules/packages/lifecycle/b.decider.ts', 'node:fs'],
  'commands-never-read-models': [
    'src/modules/packages/upload/a.command.ts',
    'src/modules/packages/upload/h.ts',
    'src/modules/packages/read-model/x.entity.ts',
  ],
  'commands-decide-and-append': ['src/modules/packages/upload/b.command.ts', 'src/modules/packages/upload/x.job.ts'],
  'projections-never-command': [
    'src/modules/packages/read-model/a.projection.ts',
    'src/modules/packages/read-model/h.ts',
    'src/modules/packages/upload/c.command.ts',
  ],
  'queries-read': ['src/modules/packages/read-model/a.query.ts', 'src/modules/packages/upload/d.command.ts'],
  'reactions-translate': [
    'src/modules/packages/lifecycle/a.reaction.ts',
    'src/modules/packages/read-model/y.entity.ts',
  ],
  'jobs-do-effects-then-command': [
    'src/modules/packages/lifecycle/a.job.ts',
    'src/modules/packages/read-model/z.entity.ts',
  ],
  'api-dispatches': ['src/modules/packages/api/a.resolver.ts', 'src/modules/packages/read-model/v.entity.ts'],
  'api-sees-no-engine': ['src/modules/packages/api/b.controller.ts', 'src/ports/w.port.ts'],
  'no-circles-of-files': ['src/platform/b.ts', 'src/platform/c.ts', 'src/platform/b.ts'],
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
  for (const chain of Object.values(PLANTED)) {
    for (const [i, from] of chain.slice(0, -1).entries()) plant(from, chain[i + 1] ?? from);
  }
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
