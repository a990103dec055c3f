import type { AccountEvent } from '../../../accounts/contracts/account.events.js';
import type { ServerEvent } from '../../../server/contracts/server.events.js';
import { counted, type Story } from './story.js';

export function accountStory(event: AccountEvent): Story {
  const { username } = event.data;
  const about = { targetType: 'ACCOUNT', targetLabel: username, details: event.data } as const;
  switch (event.type) {
    case 'AccountCreated':
      return { ...about, targetId: event.data.accountId, summary: `Created the account ${username}` };
    case 'SignedIn':
      return { ...about, targetId: event.data.accountId, summary: `${username} signed in` };
    case 'SignInRefused': {
      const { reason, unrecorded } = event.data;
      const more = unrecorded > 0 ? `; ${counted(unrecorded, 'more attempt')} before it` : '';
      return { ...about, targetId: username, summary: `Refused a sign-in as ${username}: ${reason}${more}` };
    }
  }
}

export function serverStory(event: ServerEvent, targetId: string): Story {
  if (event.type === 'ServerKeyRotated') {
    return { targetType: 'SERVER', targetId, targetLabel: null, summary: 'Gave this server a new key', details: event.data };
  }
  const { name, url, stage } = event.data;
  const what = event.type === 'ServerInitialised' ? 'Set up this server' : 'Changed the settings of this server';
  const summary = `${what}: ${name}, ${url}, ${stage}`;
  return { targetType: 'SERVER', targetId, targetLabel: name, summary, details: event.data };
}
