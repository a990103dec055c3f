import { StartupError } from '../../../kernel/startup-error.js';
import type { Endpoint } from './end.js';
import type { LogLocation } from './place.js';
import { openEventStoreDb } from './eventstoredb-end.js';
import { openEmbedded, openExternal } from './postgres-end.js';

/** @throws StartupError */
function openEndpoint(place: LogLocation): Promise<Endpoint> {
  if (place.engine === 'embedded') return openEmbedded(place);
  if (place.engine === 'postgres') return openExternal(place);
  return openEventStoreDb(place);
}

/** Both logs, closed again when the work ends. @throws StartupError also when they are one and the same */
export async function withEndpoints<T>(
  from: LogLocation,
  to: LogLocation,
  work: (source: Endpoint, target: Endpoint) => Promise<T>,
): Promise<T> {
  if (from.label === to.label) throw sameLog(from.label);
  const source = await openEndpoint(from);
  try {
    const target = await openEndpoint(to);
    try {
      if ((await source.store.epoch()) === (await target.store.epoch())) throw sameLog(source.label);
      return await work(source, target);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

const sameLog = (label: string): StartupError =>
  new StartupError(`--from and --to are the same log (${label}). Name another target.`);
