import { findTextFault } from '../../kernel/input-text.js';
import { BASE_URL_ADVICE, isBaseUrl } from '../../kernel/text.js';
import type { Aggregate } from '../../kernel/decider.js';
import { Refusal } from '../../kernel/errors.js';
import type { Stage } from '../../kernel/stage.js';
import { serverEvents, type ServerEvent, type ServerInitialised } from './contracts/server.events.js';

/** The settings that an administrator may change. */
interface ServerConfiguration {
  readonly name: string;
  readonly url: string;
  readonly stage: Stage;
  /** Other servers can call this server. */
  readonly reachable: boolean;
}

/** The server after its first start. */
export type KnownServer = ServerInitialised['data'] & ServerConfiguration;

/** Null until the first start. */
export type ServerState = KnownServer | null;

export type ServerCommand =
  | { readonly type: 'initialise'; readonly as: ServerInitialised['data'] }
  | { readonly type: 'change'; readonly to: Partial<ServerConfiguration> }
  /**
   * Replaces the key of the server. The private key is stored already. `prove` returns the signature of the former key over
   * the change, in base64url.
   */
  | { readonly type: 'rotateKey'; readonly publicKey: string; readonly prove: (previousPublicKey: string) => string };

const MAX_NAME_LENGTH = 100;

function checkName(name: string): void {
  const fault = findTextFault(name, { min: 1, max: MAX_NAME_LENGTH, anyForm: true });
  if (fault !== null) throw new Refusal('INVALID_REQUEST', `The name of a server ${fault}.`);
}

function checkUrl(url: string): void {
  if (!isBaseUrl(url)) throw new Refusal('INVALID_REQUEST', BASE_URL_ADVICE);
}

function initialiseServer(data: ServerInitialised['data']): readonly ServerEvent[] {
  checkName(data.name);
  checkUrl(data.url);
  return [{ type: 'ServerInitialised', data }];
}

const SETTING_FIELDS = ['name', 'url', 'stage', 'reachable'] as const;

function changeSettings(state: KnownServer, to: Partial<ServerConfiguration>): readonly ServerEvent[] {
  const { name = state.name, url = state.url, stage = state.stage, reachable = state.reachable } = to;
  const data = { name, url, stage, reachable };
  if (SETTING_FIELDS.every((field) => data[field] === state[field])) return [];
  // An earlier version may have accepted what stays as it is.
  if (name !== state.name) checkName(name);
  if (url !== state.url) checkUrl(url);
  return [{ type: 'ServerSettingsChanged', data }];
}

type Rotation = Extract<ServerCommand, { type: 'rotateKey' }>;

function rotateKey(
  { publicKey: previousPublicKey }: ServerInitialised['data'],
  { publicKey, prove }: Rotation,
): readonly ServerEvent[] {
  if (publicKey === previousPublicKey) return [];
  return [{ type: 'ServerKeyRotated', data: { publicKey, previousPublicKey, proof: prove(previousPublicKey) } }];
}

/** This server itself. Stream `server`. */
export const server: Aggregate<ServerState, ServerCommand, ServerEvent> = {
  category: 'server',
  events: serverEvents,
  initial: null,

  decide(command, state) {
    if (command.type === 'initialise') return state ? [] : initialiseServer(command.as);
    if (!state) throw new Refusal('NOT_FOUND', 'This server has not been initialised.');
    if (command.type === 'rotateKey') return rotateKey(state, command);
    return changeSettings(state, command.to);
  },

  evolve(state, event) {
    if (event.type === 'ServerInitialised') return { ...event.data, reachable: true };
    if (event.type === 'ServerKeyRotated') return state && { ...state, publicKey: event.data.publicKey };
    return state && { ...state, ...event.data };
  },
};
