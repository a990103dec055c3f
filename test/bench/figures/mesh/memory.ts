import type { Figure } from '../../figure.js';
import { notedMemory } from '../../memory.js';

/** The most that any server process took in the figures before this one. */
export const memory: Figure = async () => {
  const what = 'memory of a server at most (MB RSS)';
  const [most] = [...notedMemory()].sort((a, b) => b.peak - a.peak);
  if (!most) return [{ what, skipped: 'no figure before it ran a server, or there is no /proc' }];
  const postgres = Math.max(...notedMemory().map((one) => one.postgres));
  const rival = `of ${notedMemory().length} servers; PostgreSQL of one at most ${postgres.toFixed(0)} MB beside it`;
  return [
    { what, ours: `${most.peak.toFixed(0)} MB (${most.server})`, rival, value: most.peak, mark: { atMost: 400 } },
  ];
};
