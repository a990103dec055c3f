import { defineConfig } from 'vitest/config';

// One level a project, so that `npx vitest --project unit` runs just that level.
// graphql must be the one module that Node gives to all: Vite would take its ESM build for our own imports.
const level = (name: string, include: string[], extra: object = {}) => ({
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: { name, include, setupFiles: ['reflect-metadata'], ...extra },
});
/** Engines that the caller names are for the contract suites: servers in processes of their own get theirs from their test. */
const env = { DATABASE_URL: '', EVENTSTOREDB_URL: '', REDIS_URL: '' };
/** Files of one worker share the modules that they import: to load the program anew takes longer than most files work. */
const isolate = false;
const servers = { globalSetup: ['test/support/postgres.setup.ts'], testTimeout: 60_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    projects: [
      level('unit', ['{src,test}/**/*.unit.spec.ts'], { testTimeout: 60_000, sequence: { groupOrder: 1 } }),
      level('integration', ['{src,test}/**/*.int.spec.ts'], {
        ...servers,
        isolate,
        maxWorkers: 2,
        sequence: { groupOrder: 2 },
      }),
      level('e2e', ['test/e2e/**/*.e2e.spec.ts'], {
        env,
        globalSetup: ['test/support/cluster.setup.ts'],
        testTimeout: 180_000,
        hookTimeout: 180_000,
        maxWorkers: 3,
        sequence: { groupOrder: 3 },
      }),
    ],
  },
});
