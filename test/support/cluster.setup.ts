import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { findBinaries } from '../../src/adapters/database/embedded/binaries.js';
import { prepareCluster } from '../../src/adapters/database/embedded/cluster.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of a new PostgreSQL that has never run. */
    cluster: string;
  }
}

/** Servers under test begin with a copy of one new PostgreSQL: to make one takes each of them a second of processor time. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'odst-cluster-'));
  const cluster = join(folder, 'postgres');
  await prepareCluster(cluster, await findBinaries());
  project.provide('cluster', cluster);
  return () => rm(folder, { recursive: true, force: true });
}
