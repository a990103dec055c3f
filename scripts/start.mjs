// npm start: one server, in this process, so that signals reach it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

/** The parent of a process; null when that cannot be found out. */
function parentOf(pid) {
  try {
    // The name of the program may contain anything, but it ends with the last bracket.
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]);
  } catch {
    return null;
  }
}

/**
 * npm starts a shell that starts this process. Neither of them passes every signal on, so the end of one of them is taken
 * as the wish to stop.
 */
function stopWithParents() {
  const parents = () => [process.ppid, parentOf(process.ppid)].join();
  const before = parents();
  const timer = setInterval(() => {
    if (parents() === before) return;
    clearInterval(timer);
    process.emit('disconnect');
  }, 250);
  timer.unref();
}

if (process.env.npm_lifecycle_event !== undefined) stopWithParents();
prepare();
await import(pathToFileURL(join(root, 'dist/server/main.js')).href);
