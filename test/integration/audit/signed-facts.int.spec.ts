import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { linkEvents } from '../../../src/modules/audit/chain/chain-entry.js';
import { addLinks } from '../../../src/modules/audit/chain/chain-table.js';
import { AuditExport } from '../../../src/modules/audit/export/audit-export.js';
import type { AuditFilter } from '../../../src/modules/audit/trail/audit-view.js';
import { ExportVerification } from '../../../src/modules/audit/verify/export-verification.js';
import type { PackagePublished } from '../../../src/modules/packages/contracts/package.events.js';
import { readAll } from '../../contract/follow.js';
import { AuditScene } from '../../support/audit-scene.js';
import { PEER, publication } from '../../support/read-side.js';
import { publicationStatement, signFact } from '../../support/sign-fact.js';
import { SigningServer } from '../../support/signing-server.js';

const FAR = '0192c7a0-0000-7000-8000-0000000000fa';
const STRANGER = '0192c7a0-0000-7000-8000-0000000000fb';

let scene: AuditScene;

/** Three servers whose keys the log names, one whose key it does not name, and a change that nobody signed. */
beforeEach(async () => {
  scene = await AuditScene.open();
  const there = new SigningServer(PEER, 'There');
  const far = new SigningServer(FAR, 'Far');
  await scene.record(`peer-${PEER}`, [
    'PeerRegistered',
    {
      peerId: PEER,
      name: 'There',
      url: 'http://there',
      publicKey: there.publicKey,
      invitationId: FAR,
      ourPublicKey: null,
    },
    2,
  ]);
  await publish(publication('own.pkg'), scene.identity);
  await publish(by(there), there);
  const introducedBy = { serverId: PEER, name: 'There' };
  const keys = { keys: [far.publicKey], successions: [], current: far.publicKey };
  await scene.record(`signer-${FAR}`, ['SignerIntroduced', { serverId: FAR, name: 'Far', ...keys, introducedBy }]);
  await publish(by(far), far);
  const stranger = new SigningServer(STRANGER, 'Stranger');
  await publish(by(stranger), stranger);
  await publish(publication('unsigned.pkg'), null);
  await scene.catchUp();
});
afterEach(() => scene.close());

function by({ serverId, name }: SigningServer): PackagePublished['data'] {
  const stamp = `018bcfe56801-0000-${serverId}`;
  const origin = { serverId, name };
  const source = { kind: 'peer', peerId: PEER } as const;
  return publication(`${name}.pkg`, { origin, source, publication: stamp, stageStamp: stamp, uploadedBy: 'eve' });
}

async function publish(data: PackagePublished['data'], signer: Pick<SigningServer, 'publicKey' | 'sign'> | null) {
  const proofs = signer ? [signFact(publicationStatement(data), signer)] : [];
  await scene.record(`package-${data.packageId}`, [
    'PackagePublished',
    JSON.parse(JSON.stringify({ ...data, proofs })),
    2,
  ]);
}

async function exported(filter: AuditFilter = {}): Promise<string> {
  const reflected = { reflect: () => Promise.resolve() } as never;
  const exporter = new AuditExport(scene.dataSource, scene.store, reflected, scene.identity);
  let text = '';
  for await (const piece of exporter.ndjson(filter)) text += piece;
  return text;
}

const verifyExport = (text: string) =>
  new ExportVerification(scene.identity.publicKey).run(Readable.from([Buffer.from(text)]));

/** Changes the event of a position in the log, and the chain with it, as somebody with the database could. */
async function change(position: number, path: string, value: string): Promise<void> {
  await scene.sql('UPDATE log.events SET data = jsonb_set(data::jsonb, $1, $2)::json WHERE position = $3', [
    path,
    JSON.stringify(value),
    position,
  ]);
  await scene.sql('DELETE FROM audit.chain');
  const place = (await scene.sql('SELECT epoch FROM audit.place')) as { epoch: string }[];
  const events = await readAll(scene.store);
  const at = { number: events.length, epoch: place[0]?.epoch ?? '', cursor: events.at(-1)?.cursor ?? null };
  await addLinks(scene.dataSource, linkEvents(events, { number: 0, hash: '0'.repeat(64) }), at);
}

const COUNTS = { verified: 3, keyUnknown: 1, unsigned: 1, invalid: 0 };

describe('the signed facts of a log', () => {
  it('are verified with the keys that it names, and counted', async () => {
    expect(await scene.verify()).toMatchObject({ problems: [], entries: 8, facts: COUNTS });
  });

  it('are verified from a checkpoint on, with the keys that were named before', async () => {
    const before = (await scene.checkpoint()).sequence;
    const more = publication('more.pkg');
    await publish(more, scene.identity);
    await scene.catchUp();
    const facts = { ...COUNTS, verified: 1, keyUnknown: 0, unsigned: 0 };
    expect(await scene.verify({ since: before })).toMatchObject({ problems: [], entries: 1, facts });
  });

  it.each([
    ['a changed statement', 3, '{proofs,0,statement,actor}', 'does not fit its signature'],
    ['another actor beside the statement', 4, '{uploadedBy}', 'another server or actor'],
  ])('tell of %s, also when the chain was computed again', async (_, position, path, what) => {
    await change(position, path, 'mallory');
    const { problems, facts } = await scene.verify();
    const told = problems.filter(({ wrong }) => wrong === 'fact');
    expect(told).toMatchObject([{ number: position, what: expect.stringContaining(what) }]);
    expect(problems.some(({ wrong }) => wrong === 'changed')).toBe(true);
    expect(facts).toEqual({ ...COUNTS, verified: 2, invalid: 1 });
  });

  it('tell of the statement that another key than that of its server signed', async () => {
    await publish(by(new SigningServer(PEER, 'There')), new SigningServer(PEER, 'There'));
    await scene.catchUp();
    const { problems } = await scene.verify();
    expect(problems).toMatchObject([
      { wrong: 'fact', number: 9, what: expect.stringContaining('did not have by then') },
    ]);
  });
});

describe('the signed facts of an export', () => {
  it('are verified with nothing but the export and the public key', async () => {
    expect(await verifyExport(await exported())).toMatchObject({ problems: [], entries: 8, facts: COUNTS });
  });

  it('of a part of the trail are verified as far as it names the keys', async () => {
    const text = await exported({ kinds: ['PackagePublished'] });
    const facts = { ...COUNTS, verified: 1, keyUnknown: 3 };
    expect(await verifyExport(text)).toMatchObject({ problems: [], entries: 5, facts });
  });

  it.each([
    ['a changed statement', '"actor":"eve"', 'does not fit its signature'],
    ['another actor beside the statement', '"uploadedBy":"eve"', 'another server or actor'],
  ])('tell of %s', async (_, member, what) => {
    const [name] = member.split(':');
    const text = (await exported())
      .split('\n')
      .map((line) => (line.includes('There.pkg') ? line.replace(member, `${name}:"mallory"`) : line))
      .join('\n');
    const { problems } = await verifyExport(text);
    const told = problems.filter(({ wrong }) => wrong === 'fact');
    expect(told).toMatchObject([{ number: 4, what: expect.stringContaining(what) }]);
  });
});
