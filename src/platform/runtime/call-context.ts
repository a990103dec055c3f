import { AsyncLocalStorage } from 'node:async_hooks';
import type { Authority } from '../../kernel/access.js';
import type { Actor } from '../../kernel/events.js';
import type { Principal } from '../access/access.port.js';
import { newId } from './ids.js';

/** Says for whom the running code acts. Its values become the metadata of the events that the code records. */
export interface CallContext {
  readonly actor: Actor;
  /** IP address of the caller; null when the server acts by itself. */
  readonly address: string | null;
  /** An id that all events and jobs have in common which a call leads to. */
  readonly correlationId: string;
  /** Id of the event that led to the running code; null when there is none. */
  readonly causationId: string | null;
  /** The caller who is signed in. Null for the system itself, for strangers and for peers. It is never recorded. */
  readonly principal: Principal | null;
}

const storage = new AsyncLocalStorage<CallContext>();

/** The actor for a part of the server that acts by itself. */
export const systemActor = (name: string): Actor => ({ kind: 'system', id: name, name });

/** The actor for a caller who is not signed in. */
export const STRANGER: Actor = { kind: 'stranger', id: 'stranger', name: 'stranger' };

/** The context of the running call; undefined when there is none. */
export const runningContext = (): CallContext | undefined => storage.getStore();

/** The context of the running call. When there is none, it is a new one in which the server acts by itself. */
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

/** The rights of the caller; null when nobody is signed in, for example when the server acts by itself. */
export const currentAuthority = (): Authority | null => currentContext().principal?.authority ?? null;

/**
 * Runs `work` in a context with the given values. The other values are those of `currentContext`. Returns what `work`
 * returns.
 */
export function withContext<T>(given: Partial<CallContext>, work: () => T): T {
  // The values are copied one by one, because `given` may contain more, such as a token, which must not be recorded.
  const { actor, address, correlationId, causationId, principal } = { ...currentContext(), ...given };
  return storage.run({ actor, address, correlationId, causationId, principal }, work);
}
