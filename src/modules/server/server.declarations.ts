// Declares the error codes and permissions of this module, and the sentences that describe its events.
import { declarePermissions } from '../../kernel/access.js';
import { declareErrorCodes } from '../../platform/http/errors/error-codes.js';
import {
  counted,
  declareEvents,
  type EventDescription,
  type Fields,
} from '../../platform/eventsourcing/event-descriptions.js';
import { type EncryptionKeyRotated, secretEvents, type ServerEvent, serverEvents } from './contracts/server.events.js';

const serverCodes = declareErrorCodes({
  SETTING_FIXED: { status: 409, meaning: 'An environment variable fixes this setting. Change it there.' },
});

// Not for tokens: a program has no reason to change settings and keys.
declarePermissions({
  server: { meaning: "change this server's settings and key", roles: [], isTokenScope: false },
});

declare module '../../kernel/access.js' {
  interface Permissions {
    server: true;
  }
}

type ServerCodes = Record<keyof typeof serverCodes, true>;

declare module '../../kernel/errors.js' {
  interface ErrorCodes extends ServerCodes {}
}

declare module '../../platform/eventsourcing/event-descriptions.js' {
  interface EventTargets {
    SERVER: true;
  }
}

function describeServerEvent(event: ServerEvent, targetId: string): EventDescription {
  if (event.type === 'ServerKeyRotated') {
    const { publicKey, previousPublicKey } = event.data;
    const change = { before: { publicKey: previousPublicKey }, now: { publicKey } };
    return {
      targetType: 'SERVER',
      targetId,
      targetLabel: null,
      summary: 'Gave this server a new key',
      details: event.data,
      ...change,
    };
  }
  const { name, url, stage } = event.data;
  const what = event.type === 'ServerInitialised' ? 'Set up this server' : 'Changed the settings of this server';
  const summary = `${what}: ${name}, ${url}, ${stage}`;
  const more: Fields =
    event.type === 'ServerInitialised'
      ? { publicKey: event.data.publicKey, reachable: true }
      : { reachable: event.data.reachable };
  return {
    targetType: 'SERVER',
    targetId,
    targetLabel: name,
    summary,
    details: event.data,
    now: { name, url, stage, ...more },
  };
}

function describeSecretEvent({ data }: EncryptionKeyRotated, targetId: string): EventDescription {
  const summary = `Encrypted the ${counted(data.secrets, 'secret')} of this server under another key`;
  return { targetType: 'SERVER', targetId, targetLabel: null, summary, details: data };
}

declareEvents({ family: serverEvents, targets: ['SERVER'], describe: describeServerEvent });
declareEvents({ family: secretEvents, targets: ['SERVER'], describe: describeSecretEvent });
