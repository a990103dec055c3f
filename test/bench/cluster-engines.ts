import { EventStoreDbProcess } from '../support/cluster/eventstoredb-process.js';

/** A real EventStoreDB when EVENTSTOREDB_URL names one, else the test server; and what it is called in the report. */
export async function withEventStoreDb<T>(work: (url: string, name: string) => Promise<T>): Promise<T> {
  const real = process.env['EVENTSTOREDB_URL'];
  if (real) return work(real, 'EventStoreDB');
  const server = await EventStoreDbProcess.start();
  try {
    return await work(server.url, "EventStoreDB's test server");
  } finally {
    await server.dispose();
  }
}
