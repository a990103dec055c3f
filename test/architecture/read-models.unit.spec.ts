// The whole program is loaded, which takes longer than a test usually may when other files are loaded beside it.
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';

it('every projection of the source tree is in the list that tools build from', { timeout: 60_000 }, async () => {
  const { allProjections } = await import('../../src/server/boot/read-models.js');
  const files = readdirSync('src/modules', { recursive: true }).filter((file) =>
    String(file).endsWith('.projection.ts'),
  );
  expect(files.length).toBeGreaterThan(0);
  expect(allProjections()).toHaveLength(files.length);
});
