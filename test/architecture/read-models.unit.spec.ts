import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';

it('every projection of the source tree is in the list that tools build from', async () => {
  const { allProjections } = await import('../../src/app/rebuild/read-models.js');
  const files = readdirSync('src/modules', { recursive: true }).filter((file) => String(file).endsWith('.projection.ts'));
  expect(files.length).toBeGreaterThan(0);
  expect(allProjections()).toHaveLength(files.length);
});
