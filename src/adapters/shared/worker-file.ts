import { sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Where the compiled worker `name` beside the module `moduleUrl` is. Node can't run a worker from TypeScript before
 * version 22.18, so code that runs from source (under vitest) uses the worker of the last `npm run build`.
 */
export function workerFile(moduleUrl: string, name: string): URL {
  const beside = new URL(`./${name}.js`, moduleUrl);
  if (!moduleUrl.endsWith('.ts')) return beside;
  const path = fileURLToPath(beside);
  const src = path.lastIndexOf(`${sep}src${sep}`);
  return pathToFileURL(`${path.slice(0, src)}${sep}dist${path.slice(src)}`);
}
