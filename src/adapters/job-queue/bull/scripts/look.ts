import type { Queue } from 'bull';
import { z } from 'zod';
import type { FailedJob, JobAtWork, QueueCounts } from '../../../../ports/job-queue.port.js';
import { answerOf } from '../connection/unavailable.js';

const COUNTS = `
local call, base = redis.call, KEYS[1]
local wait, late = call('LLEN', base .. 'wait'), call('ZCOUNT', base .. 'delayed', '-inf', ARGV[1])
return {wait + call('ZCARD', base .. 'delayed'), wait + late, call('LLEN', base .. 'active'), call('ZCARD', base .. 'failed')}`;

/** Bull's score of a job that waits for a time: milliseconds in the upper bits. */
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

export async function countJobs(queue: Queue): Promise<QueueCounts> {
  const [waiting, due, running, stuck] = Counts.parse(await readQueue(queue, COUNTS, scoreOf(Date.now())));
  return { waiting, due, running, stuck };
}

export async function runningJobs(queue: Queue): Promise<JobAtWork[]> {
  const rows = Running.parse(await readQueue(queue, RUNNING));
  return rows.map(([name, key, attempt, progress]) => ({ name, key, attempt, progress }));
}

export async function failedJobs(queue: Queue, first: number): Promise<FailedJob[]> {
  const rows = first > 0 ? Failed.parse(await readQueue(queue, FAILED, first - 1)) : [];
  return rows.map(([name, key, reason, attempts, at]) => ({ name, key, reason, attempts, failedAt: new Date(at) }));
}
