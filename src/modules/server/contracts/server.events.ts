import type { DomainEvent } from '../../../kernel/event.js';
import { EventFamily } from '../../../kernel/event-family.js';
import type { Json } from '../../../kernel/json.js';
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
  {
    readonly name: string;
    readonly url: string;
    readonly stage: Stage;
    /** Can others call this server? Since version 2; until it is recorded, they can. */
    readonly reachable: boolean;
  }
>;

export type ServerEvent = ServerInitialised | ServerSettingsChanged;

/** Up to version 1 every server could be called. */
const reachable = (data: Json): Json => ({ ...Object(data), reachable: true });

export const serverEvents = new EventFamily<ServerEvent>({
  ServerInitialised: { version: 1 },
  ServerSettingsChanged: { version: 2, upcasters: { 1: reachable } },
});
