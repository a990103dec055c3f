import { randomUUID } from 'node:crypto';
import type { Queue } from 'bull';
import { z } from 'zod';
import { messageOf } from '../../../kernel/errors.js';
import {
  DEFAULT_PRIORITY,
  type FailedJob,
  type JobAtWork,
  JobQueueUnavailable,
  type NewJob,
  type QueueCounts,
} from '../../../ports/job-queue.port.js';
import { JOB_OPTIONS } from './queue-options.js';

/** Upper limit for one answer of Redis. */
const ANSWER_TIMEOUT_MS = 4_000;
/** Replies of a Redis that cannot do it now. Any other error reply is a bug in this adapter. */
const TEMPORARY_REPLIES =
  /^(LOADING|OOM|READONLY|MASTERDOWN|MISCONF|BUSY|TRYAGAIN|CLUSTERDOWN|NOAUTH|WRONGPASS|NOREPLICAS)/;

const isTemporary = (error: unknown): boolean =>
  !(error instanceof Error && error.name === 'ReplyError') || TEMPORARY_REPLIES.test(messageOf(error));

/** Waits for an answer of Redis. @throws JobQueueUnavailable when it gives none in time or cannot do it now */
export async function answerOf<T>(asked: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Redis did not answer within ${ANSWER_TIMEOUT_MS} ms`)),
      ANSWER_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([asked, late]);
  } catch (error) {
    throw isTemporary(error) ? new JobQueueUnavailable(error) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Redis does nothing else while a script runs. */
const MAX_JOBS_PER_SCRIPT = 300;

/**
 * KEYS[1] is the prefix of all keys of the queue. ARGV: now, the options of all jobs, then six values for each job.
 *
 * `key:<key>` names the latest job of a key. A job that waits is replaced. A job that runs gets the field `replaced`,
 * and the new job is queued beside it. Bull defines the lists and sets and the meaning of their scores (run time x 4096
 * + a number; priority).
 */
const ENQUEUE = `
local call, base, now, options = redis.call, KEYS[1], tonumber(ARGV[1]), ARGV[2]
local wait, delayed, priorities, failed = base .. 'wait', base .. 'delayed', base .. 'priority', base .. 'failed'

local function forget(id) call('DEL', base .. id, base .. id .. ':logs') end

-- Returns true when the waiting job now has the data of the new one.
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

local function delayUntilDue(id, runAt)
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
    if runAt > now then delayUntilDue(id, runAt) else putInLine(id, priority) end
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

/** Stores the jobs. Each script stores all of its jobs or none. @throws JobQueueUnavailable */
export async function enqueueJobs(queue: Queue, jobs: readonly NewJob[]): Promise<void> {
  const latest = [...new Map(jobs.map((job) => [job.key, job])).values()];
  const options = JSON.stringify(JOB_OPTIONS);
  for (let at = 0; at < latest.length; at += MAX_JOBS_PER_SCRIPT) {
    const some = latest.slice(at, at + MAX_JOBS_PER_SCRIPT).flatMap(argumentsOf);
    await answerOf(queue.client.eval(ENQUEUE, 1, queue.toKey(''), Date.now(), options, ...some));
  }
}

const COUNTS = `
local call, base = redis.call, KEYS[1]
local wait, late = call('LLEN', base .. 'wait'), call('ZCOUNT', base .. 'delayed', '-inf', ARGV[1])
return {wait + call('ZCARD', base .. 'delayed'), wait + late, call('LLEN', base .. 'active'), call('ZCARD', base .. 'failed')}`;

/** Returns the score that Bull gives to a delayed job: milliseconds in the upper bits. */
const scoreOf = (at: number): number => at * 0x1000;

const RUNNING = `
local found = {}
for _, id in ipairs(redis.call('LRANGE', KEYS[1] .. 'active', 0, -1)) do
  local job = redis.call('HMGET', KEYS[1] .. id, 'phase', 'name', 'key', 'tries', 'progress')
  if job[1] == 'running' then table.insert(found, {job[2], job[3], job[4], job[5] or '0'}) end
end
return found`;

const FAILED = `
local found = {}
for _, id in ipairs(redis.call('ZREVRANGE', KEYS[1] .. 'failed', 0, ARGV[1])) do
  local job = redis.call('HMGET', KEYS[1] .. id, 'name', 'key', 'failedReason', 'tries', 'finishedOn')
  if job[2] then table.insert(found, {job[1], job[2], job[3] or '', job[4] or '0', job[5] or '0'}) end
end
return found`;

const Counts = z.tuple([z.int(), z.int(), z.int(), z.int()]);
const Running = z.array(z.tuple([z.string(), z.string(), z.coerce.number(), z.coerce.number()]));
const Failed = z.array(z.tuple([z.string(), z.string(), z.string(), z.coerce.number(), z.coerce.number()]));

const readQueue = (queue: Queue, script: string, ...values: number[]): Promise<unknown> =>
  answerOf(queue.client.eval(script, 1, queue.toKey(''), ...values));

/** Counts the jobs by state. @throws JobQueueUnavailable */
export async function countJobs(queue: Queue): Promise<QueueCounts> {
  const [waiting, due, running, stuck] = Counts.parse(await readQueue(queue, COUNTS, scoreOf(Date.now())));
  return { waiting, due, running, stuck };
}

/** Lists the jobs that any process runs now. @throws JobQueueUnavailable */
export async function runningJobs(queue: Queue): Promise<JobAtWork[]> {
  const rows = Running.parse(await readQueue(queue, RUNNING));
  return rows.map(([name, key, attempt, progress]) => ({ name, key, attempt, progress }));
}

/** Lists the latest failed jobs, the last one first. @throws JobQueueUnavailable */
export async function failedJobs(queue: Queue, first: number): Promise<FailedJob[]> {
  const rows = first > 0 ? Failed.parse(await readQueue(queue, FAILED, first - 1)) : [];
  return rows.map(([name, key, reason, attempts, at]) => ({ name, key, reason, attempts, failedAt: new Date(at) }));
}
