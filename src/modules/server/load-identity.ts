import { hostname } from 'node:os';
import { Logger } from '@nestjs/common';
import { messageOf, Refusal, StartupError } from '../../kernel/errors.js';
import { cleanText } from '../../kernel/input-text.js';
import type { Settings } from '../../platform/runtime/settings.js';
import { newEvent } from '../../platform/eventsourcing/command-runner.js';
import { RevisionConflict, type EventStore } from '../../ports/event-store.port.js';
import { serverEvents, type ServerEvent, type ServerInitialised } from './contracts/server.events.js';
import { server, type KnownServer, type ServerCommand, type ServerState } from './server.decider.js';
import { OwnIdentity } from './own-identity.js';
import type { KeyRing, OwnKey } from '../../platform/secrets/key-ring.js';

/**
 * Loads the identity of this server, which is created at the first start. The key is stored before the event that names
 * it: after a crash between the two, the next start uses the stored key. Settings from the environment replace recorded
 * ones.
 * @throws StartupError when the log and the key do not belong together, or a setting is invalid
 */
export async function loadIdentity(store: EventStore, keys: KeyRing, settings: Settings): Promise<OwnIdentity> {
  const known = await loadServer(store);
  await keys.loadKeys();
  const key =
    known.state && keys.known.length > 0
      ? await keys.findKey(known.state.publicKey)
      : await firstKey(known.state, keys);
  if (!key) throw foreignKey();
  await decideAndAppend(store, key.serverId, { type: 'initialise', as: initialSettings(key, settings) });
  const { name, url, stage, reachable } = settings;
  const to = {
    ...(name !== null && { name }),
    ...(url !== null && { url }),
    ...(stage !== null && { stage }),
    ...(reachable !== null && { reachable }),
  };
  const state = await decideAndAppend(store, key.serverId, { type: 'change', to });
  if (state.serverId !== key.serverId || state.publicKey !== key.publicKey) throw foreignKey();
  return new OwnIdentity(keys, state);
}

const foreignKey = (): StartupError =>
  new StartupError(
    'The event log and the private key in the database belong to different servers. Restore both from one backup.',
  );

function firstKey(known: ServerState, keys: KeyRing): Promise<OwnKey> {
  if (!known) return keys.firstKey();
  throw new StartupError(
    'The event log belongs to a server whose private key is not in this database. Restore both from one backup.',
  );
}

function initialSettings({ serverId, publicKey }: OwnKey, settings: Settings): ServerInitialised['data'] {
  return {
    serverId,
    publicKey,
    name: settings.name ?? (cleanText(hostname(), 100) || 'server'),
    url: settings.url ?? `${settings.tls ? 'https' : 'http'}://${hostname()}:${settings.port}`,
    stage: settings.stage ?? 'Prod',
  };
}

/** A change of settings that cannot be processed must not keep the server from starting, so it is left out. */
async function loadServer(store: EventStore) {
  let state = server.initial;
  let revision: bigint | null = null;
  for await (const record of store.readStream(server.category)) {
    revision = record.revision;
    try {
      const event = serverEvents.read(record);
      if (event) state = server.evolve(state, event);
    } catch (error) {
      new Logger('Server').error(`The identity is loaded without ${record.type} ${record.id}: ${messageOf(error)}`);
    }
  }
  return { state, revision };
}

/** Decides a command at the start. A refusal becomes a StartupError, because its cause is a setting from the environment. */
function decideAtStart(command: ServerCommand, state: ServerState): readonly ServerEvent[] {
  try {
    return server.decide(command, state);
  } catch (error) {
    throw error instanceof Refusal
      ? new StartupError(`ODST_NAME or ODST_URL is invalid. ${error.message}`, error)
      : error;
  }
}

/** Decides and appends as CommandRunner does, which does not exist yet because it needs this identity. */
async function decideAndAppend(store: EventStore, serverId: string, command: ServerCommand): Promise<KnownServer> {
  for (;;) {
    const { state, revision } = await loadServer(store);
    const events = decideAtStart(command, state);
    const next = events.reduce<typeof state>((folded, event: ServerEvent) => server.evolve(folded, event), state);
    if (!next) throw new Error('The server has no identity after it was initialised');
    if (events.length === 0) return next;
    try {
      const records = events.map((event) => newEvent(serverEvents, event, serverId));
      await store.append(server.category, records, revision ?? 'none');
      return next;
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
    }
  }
}
