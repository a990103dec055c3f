import type { AccountEvent, PasswordChanger, Rights } from '../../accounts/contracts/account.events.js';
import type { EncryptionKeyRotated, ServerEvent } from '../../server/contracts/server.events.js';
import { counted, type Fields, type EventDescription } from './description.js';

/** `publisher up to Test, auditor`. */
function describeRights({ roles, publishUpTo }: Rights): string {
  const told = roles.map((role) => (role === 'publisher' ? `publisher up to ${publishUpTo}` : role));
  return told.join(', ') || 'no role';
}

const PASSWORD_SUMMARIES: Readonly<Record<PasswordChanger, (name: string) => string>> = {
  owner: (name) => `${name} changed their password`,
  admin: (name) => `Gave ${name} a new password`,
  recovery: (name) => `Gave ${name} a new password on the server's own machine`,
};

const describeUnrecorded = (unrecorded: number): string =>
  unrecorded > 0 ? `; ${counted(unrecorded, 'more attempt')} before it` : '';

function summarizeAccountEvent(event: Exclude<AccountEvent, { type: 'SignInRefused' }>): string {
  const { username } = event.data;
  switch (event.type) {
    case 'AccountCreated':
      return `Created the account ${username}: ${describeRights(event.data)}${event.data.source === 'directory' ? ', from the directory' : ''}`;
    case 'SignedIn':
      return `${username} signed in${event.data.source === 'directory' ? ' through the directory' : ''}`;
    case 'RoleChanged':
      return `Changed the roles of ${username} from ${describeRights(event.data.from)} to ${describeRights(event.data.to)}`;
    case 'AccountRenamed':
      return `Changed the display name of ${username} from ${event.data.from ?? 'none'} to ${event.data.to ?? 'none'}`;
    case 'AccountDisabled':
      return event.data.by === 'directory'
        ? `Disabled the account ${username}, who is gone or disabled in the directory`
        : `Disabled the account ${username}`;
    case 'AccountEnabled':
      return `Enabled the account ${username}`;
    case 'DirectoryLinked':
      if (event.data.externalId === null)
        return `Lets the next person named ${username} in the directory have that account`;
      return `Linked the account ${username} to ${event.data.externalId} in the directory`;
    case 'PasswordChanged':
      return PASSWORD_SUMMARIES[event.data.by](username);
    case 'SessionClosed':
      if (event.data.how === 'signed out') return `${username} signed out`;
      return event.data.sessionId === null
        ? `Closed the other sessions of ${username}`
        : `Closed a session of ${username}`;
    case 'ApiTokenIssued': {
      const { name, scopes, publishUpTo, expiresAt } = event.data;
      const limit = publishUpTo === null ? '' : ` up to ${publishUpTo}`;
      return `Issued the API token ${name} of ${username}: ${scopes.join(', ')}${limit}, until ${expiresAt}`;
    }
    case 'ApiTokenRevoked':
      return `Revoked the API token ${event.data.name} of ${username}`;
    case 'CallRefused':
      return `Refused ${username} the call ${event.data.call}: it needs ${event.data.need ?? 'what nobody has'}${describeUnrecorded(event.data.unrecorded)}`;
  }
}

const fieldsOf = ({ roles, publishUpTo }: Rights): Fields => ({ roles: [...roles], publishUpTo });

/** What an event changes of an account, besides its password and what it opens. */
function changeOf(event: AccountEvent): Pick<EventDescription, 'before' | 'now'> {
  switch (event.type) {
    case 'AccountCreated':
      return { now: { ...fieldsOf(event.data), displayName: event.data.displayName, disabled: false } };
    case 'RoleChanged':
      return { before: fieldsOf(event.data.from), now: fieldsOf(event.data.to) };
    case 'AccountRenamed':
      return { before: { displayName: event.data.from }, now: { displayName: event.data.to } };
    case 'AccountDisabled':
      return { before: { disabled: false }, now: { disabled: true } };
    case 'AccountEnabled':
      return { before: { disabled: true }, now: { disabled: false } };
    default:
      return {};
  }
}

export function describeAccountEvent(event: AccountEvent): EventDescription {
  const { username } = event.data;
  const about = { targetType: 'ACCOUNT', targetLabel: username, details: event.data, ...changeOf(event) } as const;
  if (event.type !== 'SignInRefused')
    return { ...about, targetId: event.data.accountId, summary: summarizeAccountEvent(event) };
  const { reason, unrecorded } = event.data;
  return {
    ...about,
    targetId: username,
    summary: `Refused a sign-in as ${username}: ${reason}${describeUnrecorded(unrecorded)}`,
  };
}

export function describeServerEvent(event: ServerEvent, targetId: string): EventDescription {
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

export function describeSecretEvent({ data }: EncryptionKeyRotated, targetId: string): EventDescription {
  const summary = `Encrypted the ${counted(data.secrets, 'secret')} of this server under another key`;
  return { targetType: 'SERVER', targetId, targetLabel: null, summary, details: data };
}
