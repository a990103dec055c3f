// Declares the error codes and permissions of this module, and the sentences that describe its events.
import { declarePermissions } from '../../kernel/access.js';
import { declareErrorCodes } from '../../platform/http/errors/error-codes.js';
import {
  counted,
  declareEvents,
  type EventDescription,
  type Fields,
} from '../../platform/eventsourcing/event-descriptions.js';
import { type AccountEvent, accountEvents, type PasswordChanger, type Rights } from './contracts/account.events.js';

const accountCodes = declareErrorCodes({
  INVALID_USERNAME: {
    status: 400,
    meaning: 'The username is empty, too long, or has characters that usernames must not have.',
  },
  PASSWORD_REFUSED: { status: 400, meaning: 'The new password is too short, too long, or the same as the username.' },
  SIGN_IN_REFUSED: { status: 401, meaning: 'The name or the password is wrong.' },
  ACCOUNT_NOT_FOUND: { status: 404, meaning: 'There is no such account.' },
  SESSION_NOT_FOUND: { status: 404, meaning: 'There is no such session, or it has ended.' },
  TOKEN_NOT_FOUND: { status: 404, meaning: 'There is no such API token, or it was revoked.' },
  USERNAME_TAKEN: {
    status: 409,
    meaning: 'An account with this name exists already, perhaps in different letter case.',
  },
  LAST_ADMIN: {
    status: 409,
    meaning: 'This is the last account that can administer the server, so it must stay an enabled admin.',
  },
  ACCOUNT_IN_DIRECTORY: {
    status: 409,
    meaning: 'The directory keeps the password and the roles of this account. Change them there.',
  },
  NO_DIRECTORY: { status: 409, meaning: 'No directory is configured, because LDAP_URL is not set.' },
  DIRECTORY_UNAVAILABLE: {
    status: 503,
    meaning: 'The directory (LDAP) does not answer, or gives invalid answers. Local accounts can still sign in.',
  },
});

// Not for tokens: somebody who finds a token must not create other tokens with it, or lock its owner out.
declarePermissions({
  accounts: { meaning: "manage other people's accounts, sessions and tokens", roles: [], isTokenScope: false },
});

declare module '../../kernel/access.js' {
  interface Permissions {
    accounts: true;
  }
}

type AccountCodes = Record<keyof typeof accountCodes, true>;

declare module '../../kernel/errors.js' {
  interface ErrorCodes extends AccountCodes {}
}

declare module '../../platform/eventsourcing/event-descriptions.js' {
  interface EventTargets {
    ACCOUNT: true;
  }
}

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

/** The fields of an account that an event changes, without the password, sessions and tokens. */
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

function describeAccountEvent(event: AccountEvent): EventDescription {
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

declareEvents({ family: accountEvents, targets: ['ACCOUNT'], describe: describeAccountEvent });
