import { afterAll, beforeAll, expect, it } from 'vitest';
import { GraphqlApp } from '../../support/graphql-app.js';

let app: GraphqlApp;
beforeAll(async () => {
  app = await GraphqlApp.start();
});
afterAll(() => app.stop());

const ALL = `{ queue { state advice waiting due running failed
  runningJobs { name key attempt progress } failedJobs(first: 1) { key reason attempt failedAt } } }`;

it('shows what the queue holds, what runs and what gave up', async () => {
  app.queue.holds = { waiting: 5, due: 2, running: 1, stuck: 2 };
  app.queue.atWork = [{ name: 'fetch-chunks', key: 'fetch:p:0', attempt: 3, progress: 0.5 }];
  const failedAt = new Date('2026-01-02T03:04:05.000Z');
  app.queue.gaveUp = ['one', 'two'].map((key) => ({ name: 'x', key, reason: `no ${key}`, attempts: 4, failedAt }));
  expect((await app.query(ALL)).body).toEqual({
    data: {
      queue: {
        state: 'WORKING',
        advice: null,
        waiting: 5,
        due: 2,
        running: 1,
        failed: 2,
        runningJobs: [{ name: 'fetch-chunks', key: 'fetch:p:0', attempt: 3, progress: 0.5 }],
        failedJobs: [{ key: 'one', reason: 'no one', attempt: 4, failedAt: failedAt.toISOString() }],
      },
    },
  });
});

it('says so when the queue does not answer', async () => {
  app.queue.holds = new Error('connect ECONNREFUSED 10.0.0.1');
  const answer = await app.query('{ queue { state advice waiting } }');
  expect(answer.body.data.queue).toMatchObject({
    state: 'UNAVAILABLE',
    advice: expect.stringContaining('does not answer'),
    waiting: null,
  });
  const jobs = await app.query('{ queue { runningJobs { key } } }');
  expect(jobs.body.errors[0].extensions.code).toBe('UNAVAILABLE');
  expect(jobs.text).not.toContain('10.0.0.1');
  app.queue.holds = { waiting: 0, due: 0, running: 0, stuck: 0 };
});

it.each([0, 201, -1])('refuses %s jobs at a time', async (first) => {
  const answer = await app.query(`{ queue { failedJobs(first: ${first}) { key } } }`);
  expect(answer.body.errors[0].extensions.code).toBe('INVALID_REQUEST');
});
