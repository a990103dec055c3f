import { AsyncLocalStorage } from 'node:async_hooks';
import type { Authority } from '../../kernel/access.js';
import type { Actor } from '../../kernel/events.js';
import type { Principal } from '../access/access.port.js';
import { newId } from './ids.js';

/** On whose behalf the running code acts; becomes the metadata of the events it records. */
export interface CallContext {
  readonly actor: Actor;
  /** Remote IP address, null when the system acts by itself. */
  readonly address: string | null;
  readonly correlationId: string;
  readonly causationId: string | null;
  /** Who is signed in; null for the system itself, for strangers and for peers. Never recorded. */
  readonly principal: Principal | null;
}

const storage = new AsyncLocalStorage<CallContext>();

/** A part of the server that acts by itself. */
export const systemActor = (name: string): Actor => ({ kind: 'system', id: name, name });

/** Somebody who has not said who they are. */
export const STRANGER: Actor = { kind: 'stranger', id: 'stranger', name: 'stranger' };

/** The context of the running call, if there is one. */
export const runningContext = (): CallContext | undefined => storage.getStore();

/** The context of the running call; the system's own when there is none. */
export function currentContext(): CallContext {
  return (
    runningContext() ?? {
      actor: systemActor('server'),
      address: null,
      correlationId: newId(),
      causationId: null,
      principal: null,
    }
  );
}

/** What the caller may do; null when the server acts by itself. */
export const currentAuthority = (): Authority | null => currentContext().principal?.authority ?? null;

/** Runs `work` in a context: what is not given is inherited, and a correlation id is made where there is none. */
export function withContext<T>(given: Partial<CallContext>, work: () => T): T {
  // One by one: who calls is known with their token, which would be recorded as metadata of events.
  const { actor, address, correlationId, causationId, principal } = { ...currentContext(), ...given };
  return storage.run({ actor, address, correlationId, causationId, principal }, work);
}
