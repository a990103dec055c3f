import type { DomainEvent } from '../../../kernel/event.js';
import { EventFamily } from '../../../kernel/event-family.js';
import type { Stage } from '../../../kernel/stage.js';

/** Stream `server`. */
export type ServerInitialised = DomainEvent<
  'ServerInitialised',
  {
    readonly serverId: string;
    readonly name: string;
    readonly url: string;
    readonly stage: Stage;
    readonly publicKey: string;
  }
>;
export type ServerSettingsChanged = DomainEvent<
  'ServerSettingsChanged',
  { readonly name: string; readonly url: string; readonly stage: Stage }
>;

export type ServerEvent = ServerInitialised | ServerSettingsChanged;

export const serverEvents = new EventFamily<ServerEvent>({
  ServerInitialised: { version: 1 },
  ServerSettingsChanged: { version: 1 },
});
