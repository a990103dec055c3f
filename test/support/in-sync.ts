import { z } from 'zod';
import type { ServerUnderTest } from './server-under-test.js';
import { waitFor } from './wait-for.js';

const Peers = z.object({
  peers: z.array(
    z.object({
      inSync: z.boolean().nullable(),
      differences: z.number().nullable(),
      comparedAt: z.coerce.date().nullable(),
    }),
  ),
});

/** What the comparisons with the only peer of a server found last. */
export async function comparison(server: ServerUnderTest) {
  const [peer] = (await (await server.client()).ask('{ peers { inSync differences comparedAt } }', Peers)).peers;
  return peer ?? null;
}

/** Waits until all of these servers have found, after a time, that they agree with their peer. */
export async function waitForSync(since: Date, ...servers: readonly ServerUnderTest[]): Promise<void> {
  for (const server of servers) {
    await waitFor(
      `${server.name} to be in sync`,
      async () => {
        const found = await comparison(server);
        return (
          found?.inSync === true && found.differences === 0 && found.comparedAt !== null && found.comparedAt > since
        );
      },
      120_000,
    );
  }
}
