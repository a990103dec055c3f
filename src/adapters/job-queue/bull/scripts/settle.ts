import type { Queue } from 'bull';
import { KEPT_FAILED } from '../../../../ports/job-queue.port.js';

/** How a try ended: `back` is one that does not count, a number gives up after so many. */
export type Ending = 'done' | 'again' | 'back' | number;

/**
 * ARGV: id, ending, seconds that a failed job is kept. Comes before Bull itself lets go of the job: after a crash in
 * between the job is run once more.
 */
const SETTLE = `
local call, base, id, ending = redis.call, KEYS[1], ARGV[1], ARGV[2]
local hash = base .. id
local job = call('HMGET', hash, 'replaced', 'key')
if job[1] or not job[2] then return 0 end
local latest = base .. 'key:' .. job[2]
if call('GET', latest) ~= id then return 0 end
if ending == 'done' then call('DEL', latest) end
if tonumber(ending) then
  call('EXPIRE', latest, ARGV[3])
  call('HSET', hash, 'tries', ending)
end
if ending == 'back' then
  call('HINCRBY', hash, 'tries', -1)
  call('HSET', hash, 'phase', 'waiting')
end
return 1`;

/** Notes how a try ended. False when a newer job of the same key will do the work, so that this one is done. */
export async function settleAttempt(queue: Queue, id: string, ending: Ending): Promise<boolean> {
  const keptSeconds = KEPT_FAILED.days * 24 * 60 * 60;
  return (await queue.client.eval(SETTLE, 1, queue.toKey(''), id, ending, keptSeconds)) === 1;
}
