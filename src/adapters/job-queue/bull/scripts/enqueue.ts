import { randomUUID } from 'node:crypto';
import type { Queue } from 'bull';
import { DEFAULT_PRIORITY, type NewJob } from '../../../../ports/job-queue.port.js';
import { answerOf } from '../connection/unavailable.js';
import { JOB_OPTIONS } from '../connection/queue-options.js';

/** Jobs in one script: Redis does nothing else meanwhile. */
const MAX_JOBS_PER_SCRIPT = 300;

/**
 * KEYS[1] is what all keys of the queue begin with; ARGV: now, options of all jobs, then six values a job.
 *
 * `key:<key>` names the latest job of a key. One that nobody has begun is replaced; one that runs is told so by the
 * field `replaced`, and the new one gets a place of its own. Lists and sets are Bull's, and so is the meaning of their
 * scores (run time x 4096 + a number; priority).
 */
const ENQUEUE = `
local call, base, now, options = redis.call, KEYS[1], tonumber(ARGV[1]), ARGV[2]
local wait, delayed, priorities, failed = base .. 'wait', base .. 'delayed', base .. 'priority', base .. 'failed'

local function forget(id) call('DEL', base .. id, base .. id .. ':logs') end

-- True when the waiting job now stands for the new one.
local function replace(id, name, data, priority, runAt)
  local hash = base .. id
  if call('EXISTS', hash) == 0 then return false end
  if call('ZREM', delayed, id) == 1 or call('ZREM', failed, id) == 1 then forget(id) return false end
  local old = call('HMGET', hash, 'phase', 'name', 'priority')
  if old[1] == 'waiting' then
    if runAt <= now and old[2] == name and old[3] == priority then call('HSET', hash, 'data', data) return true end
    if call('LREM', wait, 1, id) == 1 then call('ZREM', priorities, id) forget(id) return false end
  end
  call('HSET', hash, 'replaced', 1)
  return false
end

local function putInLine(id, priority)
  local before = call('ZCOUNT', priorities, '-inf', priority)
  call('ZADD', priorities, priority, id)
  -- Workers take from the right.
  local neighbour = before > 0 and call('LINDEX', wait, -before)
  if before == 0 then call('RPUSH', wait, id)
  elseif neighbour then call('LINSERT', wait, 'BEFORE', neighbour, id)
  else call('LPUSH', wait, id) end
end

local function putOff(id, runAt)
  call('ZADD', delayed, runAt * 4096 + call('INCR', base .. 'id') % 4096, id)
  call('PUBLISH', delayed, runAt)
end

for i = 3, #ARGV, 6 do
  local id, name, key, data, priority, runAt = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], tonumber(ARGV[i + 5])
  local latest = base .. 'key:' .. key
  local old = call('GET', latest)
  if not (old and replace(old, name, data, priority, runAt)) then
    call('HSET', base .. id, 'name', name, 'key', key, 'data', data, 'opts', options, 'phase', 'waiting', 'priority', priority,
      'timestamp', now, 'delay', math.max(0, runAt - now))
    call('SET', latest, id)
    if runAt > now then putOff(id, runAt) else putInLine(id, priority) end
  end
end`;

const argumentsOf = ({ name, key, data, cause, runAt, priority = DEFAULT_PRIORITY }: NewJob): (string | number)[] => [
  randomUUID(),
  name,
  key,
  JSON.stringify({ data, cause }),
  priority,
  runAt?.getTime() ?? 0,
];

/** Stores the jobs, each script of them wholly or not at all. @throws JobQueueUnavailable */
export async function enqueueJobs(queue: Queue, jobs: readonly NewJob[]): Promise<void> {
  const latest = [...new Map(jobs.map((job) => [job.key, job])).values()];
  const options = JSON.stringify(JOB_OPTIONS);
  for (let at = 0; at < latest.length; at += MAX_JOBS_PER_SCRIPT) {
    const some = latest.slice(at, at + MAX_JOBS_PER_SCRIPT).flatMap(argumentsOf);
    await answerOf(queue.client.eval(ENQUEUE, 1, queue.toKey(''), Date.now(), options, ...some));
  }
}
