import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { z } from 'zod';

const script = fileURLToPath(new URL('../../scripts/demo.mjs', import.meta.url));
const dataDir = mkdtempSync(join(tmpdir(), 'odst-demo-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const Result = z.object({
  verified: z.literal(true),
  package: z.object({ filename: z.string(), size: z.number(), sha1: z.string().length(40), sha256: z.string().length(64) }),
  seconds: z.object({ upload: z.number(), replicate: z.number() }),
  servers: z.array(z.object({ url: z.string() })).length(2),
});

it('npm run demo -- --once replicates a package and says so as JSON, twice on the same data', async () => {
  for (const size of [5 * 1024 * 1024, 6 * 1024 * 1024]) {
    const args = [script, '--once', '--size', String(size), '--data', dataDir];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(Result.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).package.size).toBe(size);
  }
});
