import { afterAll, beforeAll, expect, it } from 'vitest';
import { GraphqlApp } from '../../support/graphql-app.js';
import { PEER, recorded } from '../../support/read-side.js';

let app: GraphqlApp;
beforeAll(async () => {
  app = await GraphqlApp.start();
});
afterAll(() => app.stop());

const FIELDS = 'bytesPerSecond windows { days from to } openNow opensAt';
const OPEN = { bytesPerSecond: null, windows: [], openNow: true, opensAt: null };
const registered = recorded('PeerRegistered', {
  peerId: PEER,
  name: 'There',
  url: 'http://there',
  publicKey: 'k',
  invitationId: 'i',
});
const policy = (change: object) =>
  recorded('PeerPolicyChanged', { peerId: PEER, name: 'There', direction: 'SEND_RECEIVE', ...flows, ...change });
const flows = { send: { bytesPerSecond: null, windows: [] }, receive: { bytesPerSecond: null, windows: [] } };

async function shown(): Promise<{ name: string; direction: string; send: object; receive: object } | undefined> {
  const { body } = await app.query(`{ peers { name direction send { ${FIELDS} } receive { ${FIELDS} } } }`);
  return body.data.peers[0];
}

/** Records, and looks until the read model shows it. */
async function showsAfter(event: ReturnType<typeof recorded>, expected: object): Promise<void> {
  await app.record(event);
  await expect.poll(shown, { timeout: 30_000 }).toEqual({ name: 'There', ...expected });
}

it('shows the policy for a peer: what passes, when and how fast, and whether it does now', async () => {
  await showsAfter(registered, { direction: 'SEND_RECEIVE', send: OPEN, receive: OPEN });
  const windows = [
    { days: ['MON', 'SUN'], from: '00:00', to: '24:00' },
    { days: ['TUE', 'WED', 'THU', 'FRI', 'SAT'], from: '00:00', to: '24:00' },
  ];
  const always = { bytesPerSecond: 5_000_000_000, windows };
  await showsAfter(policy({ send: always }), {
    direction: 'SEND_RECEIVE',
    send: { ...always, openNow: true, opensAt: null },
    receive: OPEN,
  });
  const hour = String((new Date().getHours() + 12) % 24).padStart(2, '0');
  const closed = {
    bytesPerSecond: null,
    windows: [{ days: ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'], from: `${hour}:00`, to: `${hour}:05` }],
  };
  const later = { ...closed, openNow: false, opensAt: expect.stringMatching(/^20\d\d-.*:00(\.000)?Z$/) };
  await showsAfter(policy({ receive: closed, direction: 'RECEIVE_ONLY' }), {
    direction: 'RECEIVE_ONLY',
    send: { ...OPEN, openNow: false },
    receive: later,
  });
});

it('shows the rights of a peer, which stay when it registers again, also after it was unregistered', async () => {
  const rights = async (): Promise<unknown> => {
    const fields = 'rights { publishUpTo filenames mayTakeOver mayChangeOthers }';
    return (await app.query(`{ peer(id: "${PEER}") { ${fields} } }`)).body.data.peer.rights;
  };
  const all = { publishUpTo: 'Prod', filenames: [], mayTakeOver: true, mayChangeOthers: true };
  expect(await rights()).toEqual(all);
  const limited = { publishUpTo: 'Dev', filenames: ['dev-*'], mayTakeOver: false, mayChangeOthers: false };
  await app.record(recorded('PeerRightsChanged', { peerId: PEER, name: 'There', ...limited }));
  await expect.poll(rights, { timeout: 30_000 }).toEqual(limited);
  const again = { peerId: PEER, name: 'There', url: 'http://there', publicKey: 'k', ourPublicKey: null, rights: null };
  await app.record(
    recorded('PeerUnregistered', { peerId: PEER, name: 'There' }),
    recorded('PeerRegistered', { ...again, invitationId: 'j' }),
    recorded('PeerSettingsChanged', { peerId: PEER, name: 'There', url: 'http://elsewhere' }),
  );
  const url = async (): Promise<unknown> => (await app.query(`{ peer(id: "${PEER}") { url } }`)).body.data.peer.url;
  await expect.poll(url, { timeout: 30_000 }).toBe('http://elsewhere');
  expect(await rights()).toEqual(limited);
  const data = { ...again, invitationId: 'k', rights: { ...all, publishUpTo: 'Test' } };
  const event = recorded('PeerRegistered', data);
  await app.record({ ...event, metadata: { ...event.metadata, schemaVersion: 3 } });
  await expect.poll(rights, { timeout: 30_000 }).toEqual({ ...all, publishUpTo: 'Test' });
});

it('keeps the policy when the peer registers anew, and forgets it when it was unregistered', async () => {
  await showsAfter(policy({ direction: 'SEND_ONLY' }), {
    direction: 'SEND_ONLY',
    send: OPEN,
    receive: { ...OPEN, openNow: false },
  });
  const again = (name: string) =>
    recorded('PeerRegistered', { peerId: PEER, name, url: 'http://there', publicKey: 'k', invitationId: name });
  await app.record(again('Again'));
  await expect.poll(shown, { timeout: 30_000 }).toMatchObject({ name: 'Again', direction: 'SEND_ONLY' });
  await app.record(recorded('PeerUnregistered', { peerId: PEER, name: 'Again' }), again('Anew'));
  await expect.poll(shown, { timeout: 30_000 }).toMatchObject({ name: 'Anew', direction: 'SEND_RECEIVE' });
});
