import type { Queue } from 'bull';
import { z } from 'zod';
import { KEPT_FAILED, type RateLimit } from '../../../ports/job-queue.port.js';

/**
 * ARGV: id, now, jobs and milliseconds of the rate limit (0: none). The attempt counts from here on, also when the
 * process dies in it. A job that a newer one of its key has replaced is over.
 */
const CLAIM = `
local call, base, id, now = redis.call, KEYS[1], ARGV[1], tonumber(ARGV[2])
local hash, jobs, window = base .. id, tonumber(ARGV[3]), tonumber(ARGV[4])
local job = call('HMGET', hash, 'replaced', 'key', 'name', 'data')
if job[1] or not job[2] then return {'over'} end
local latest = base .. 'key:' .. job[2]
local newest = call('GET', latest)
if newest and newest ~= id then return {'over'} end
if not newest then call('SET', latest, id) end
if jobs > 0 then
  local starts = base .. 'starts:' .. job[3]
  if call('LLEN', starts) >= jobs then
    local free = tonumber(call('LINDEX', starts, -jobs)) + window
    if free > now then return {'later', free - now} end
  end
  call('RPUSH', starts, now)
  call('LTRIM', starts, -jobs, -1)
  call('PEXPIRE', starts, window)
end
call('HSET', hash, 'phase', 'running', 'progress', 0)
return {'run', call('HINCRBY', hash, 'tries', 1), job[2], job[4]}`;

const Claim = z.union([
  z.tuple([z.literal('over')]).transform(() => ({ kind: 'over' as const })),
  z.tuple([z.literal('later'), z.number()]).transform(([kind, waitMs]) => ({ kind, waitMs })),
  z
    .tuple([z.literal('run'), z.number(), z.string(), z.string()])
    .transform(([kind, attempt, key, payload]) => ({ kind, attempt, key, payload })),
]);
type Claim = z.output<typeof Claim>;

/** Begins an attempt of a job that Bull has handed out, with the latest data of the job. */
export async function claimAttempt(queue: Queue, id: string, limit: RateLimit | undefined): Promise<Claim> {
  const { jobs, perMs } = limit ?? { jobs: 0, perMs: 0 };
  return Claim.parse(await queue.client.eval(CLAIM, 1, queue.toKey(''), id, Date.now(), jobs, Math.ceil(perMs)));
}

/** The end of an attempt. `back` does not count as an attempt. A number says after how many attempts the job has failed. */
type Ending = 'done' | 'again' | 'back' | number;

/**
 * ARGV: id, ending, seconds for which a failed job is kept. The script runs before Bull itself releases the job: after
 * a crash in between, the job runs once more.
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

/** Records how an attempt ended. Resolves with false when a newer job of the same key will do the work, so that this one is done. */
export async function settleAttempt(queue: Queue, id: string, ending: Ending): Promise<boolean> {
  const keptSeconds = KEPT_FAILED.days * 24 * 60 * 60;
  return (await queue.client.eval(SETTLE, 1, queue.toKey(''), id, ending, keptSeconds)) === 1;
}
