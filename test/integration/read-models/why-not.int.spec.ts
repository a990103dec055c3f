import type { Query, QueryBus } from '@nestjs/cqrs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PackagesByIdQuery } from '../../../src/modules/packages/contracts/package-queries.js';
import { PackagesByIdHandler } from '../../../src/modules/packages/read-model/package-lookup.query.js';
import { PeerStages } from '../../../src/modules/replication/follow/follow-records.js';
import { RefusingPeersHandler, RefusingPeersQuery } from '../../../src/modules/replication/read-model/refused.query.js';
import { ReplicasHandler, ReplicasQuery } from '../../../src/modules/replication/read-model/replicas.query.js';
import {
  PeerContactsHandler,
  PeerContactsQuery,
  PeerStagesHandler,
  PeerStagesQuery,
} from '../../../src/modules/replication/read-model/replication-status.query.js';
import { WhyNotHandler, WhyNotQuery } from '../../../src/modules/replication/read-model/why-not.query.js';
import { readerOf } from '../../../src/platform/failures/unprocessable-events.js';
import type { RunningProcesses } from '../../../src/platform/jobs/running-processes.js';
import type { PeerContact, PeerDirectory } from '../../../src/ports/peer-directory.port.js';
import type { PeerTransport } from '../../../src/ports/peer-transport.port.js';
import type { ServerIdentity } from '../../../src/ports/server-identity.port.js';
import { OWN_SERVER, PEER, publication, ReadSide, recorded, stamp } from '../../support/read-side.js';

let side: ReadSide;
beforeAll(async () => {
  side = await ReadSide.open();
});
afterAll(() => side.close());
beforeEach(() =>
  side.dataSource.query(`TRUNCATE packages, replicas, replica_packages, replica_servers, refused_facts,
    state.peer_stages, state.refused_by_peers, state.unprocessable_events`),
);

const flow = { windows: [], bytesPerSecond: null };
const contactOf = (peerId: string, name: string): PeerContact => ({
  peerId,
  name,
  url: 'http://there',
  publicKey: '',
  suspended: false,
  policy: { direction: 'SEND_RECEIVE', send: flow, receive: flow },
});
/** What the peer answers when it is asked for its own reasons; null when it is away. */
let told: unknown = null;
let peers: readonly PeerContact[] = [contactOf(PEER, 'There')];

function queries(): QueryBus {
  const { dataSource } = side;
  const handlers = new Map<unknown, { execute(query: never): Promise<unknown> }>([
    [PackagesByIdQuery, new PackagesByIdHandler(dataSource)],
    [ReplicasQuery, new ReplicasHandler(dataSource)],
    [PeerContactsQuery, new PeerContactsHandler(dataSource)],
    [PeerStagesQuery, new PeerStagesHandler(dataSource)],
    [RefusingPeersQuery, new RefusingPeersHandler(dataSource)],
  ]);
  const execute = (query: Query<unknown>) => handlers.get(query.constructor)?.execute(query as never);
  return { execute } as unknown as QueryBus;
}

function ask(pkg: string, server: string) {
  const directory = { list: async () => peers } as unknown as PeerDirectory;
  const identity = { serverId: OWN_SERVER, name: 'Here', stage: 'Prod' } as ServerIdentity;
  const processes = { findMissing: () => [] } as unknown as RunningProcesses;
  const away = () => Promise.reject(new Error('away'));
  const get = told === null ? away : async () => told;
  const transport = { postTo: away, get } as unknown as PeerTransport;
  const handler = new WhyNotHandler(side.dataSource, queries(), directory, identity, processes, transport);
  return handler.execute(new WhyNotQuery(pkg, server));
}
const codesOf = async (pkg: string, server: string) => (await ask(pkg, server)).reasons.map(({ code }) => code);

describe('the reason why a package is not on a server', () => {
  const here = publication('app.pkg');
  const registered = recorded('PeerRegistered', {
    peerId: PEER,
    name: 'There',
    url: 'u',
    publicKey: 'k',
    invitationId: 'i',
  });

  it('names package and server by id or by name, and gives both', async () => {
    await side.apply(recorded('PackagePublished', here), registered);
    for (const pkg of ['app.pkg', here.packageId, here.packageId.toUpperCase()]) {
      expect(await ask(pkg, 'There')).toMatchObject({
        server: { id: PEER, name: 'There' },
        package: { id: here.packageId },
        isHeld: false,
      });
      expect((await ask(pkg, PEER)).reasons.map(({ code }) => code)).toContain('NOT_HEARD_YET');
    }
    const reported = { packageId: here.packageId, peerId: PEER, peerName: 'There', verifiedAt: '2026-01-02T03:04:05Z' };
    await side.apply(recorded('ReplicaReported', { ...reported, lineage: [] }));
    expect(await ask('app.pkg', 'There')).toMatchObject({ isHeld: true, reasons: [{ code: 'HELD' }] });
  });

  it('comes from the peer itself when it answers, unless its answer makes no sense', async () => {
    await side.apply(recorded('PackagePublished', here), registered);
    told = { reasons: [{ code: 'DISK_FULL', words: 'There has 3 bytes left.' }] };
    expect((await ask('app.pkg', 'There')).reasons).toEqual([
      { code: 'DISK_FULL', words: 'There says: There has 3 bytes left.' },
    ]);
    for (const odd of [
      {},
      'x',
      { reasons: [{ code: 'NO_SUCH', words: 'x' }] },
      { reasons: [{ code: 'FAILED', words: 'x\u0000' }] },
    ]) {
      told = odd;
      expect(await codesOf('app.pkg', 'There')).toEqual(['NOT_WATCHED', 'NOT_HEARD_YET']);
    }
    told = { reasons: [{ code: 'HELD', words: 'There has the package and serves it.' }] };
    expect(await ask('app.pkg', 'There')).toMatchObject({ isHeld: true, reasons: [{ code: 'HELD' }] });
    told = null;
  });

  it('refuses a server that it does not know, with the nearest names, and a name that several have', async () => {
    await expect(ask('app.pkg', 'Thera')).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining('There, Here'),
    });
    peers = [contactOf(PEER, 'There'), contactOf('0192c7a0-0000-7000-8000-00000000000d', 'There')];
    await expect(ask('app.pkg', 'There')).rejects.toMatchObject({ message: expect.stringContaining('several') });
    peers = [contactOf(PEER, 'There')];
  });

  it('knows the stage that the peer told last, and what it refuses', async () => {
    await side.apply(recorded('PackagePublished', { ...here, stage: 'Test' }), registered);
    const stages = new PeerStages(side.dataSource);
    await stages.noteStage(PEER, 'Dev');
    expect(await codesOf('app.pkg', 'There')).not.toContain('STAGE');
    await stages.noteStage(PEER, 'Prod');
    await side.dataSource.query('INSERT INTO state.refused_by_peers VALUES ($1, $2)', [PEER, here.packageId]);
    expect((await codesOf('app.pkg', 'There')).slice(0, 2)).toEqual(['STAGE', 'RIGHTS']);
  });

  it('tells what was refused of an unknown package, by id and by filename, until it was accepted after all', async () => {
    const refusal = (register: string, value: string) =>
      side.dataSource.query(
        `INSERT INTO refused_facts VALUES (gen_random_uuid(), $1, 'There', 'NOT_ALLOWED', $2, 'app.pkg', $3, $4, 'no right.', 1, now())`,
        [PEER, here.packageId, register, value],
      );
    await refusal('publication', here.publication);
    for (const pkg of ['app.pkg', here.packageId]) {
      expect((await ask(pkg, 'Here')).reasons[0]).toMatchObject({
        code: 'FACTS_REFUSED',
        words: expect.stringContaining('no right.'),
      });
    }
    expect(await codesOf('other.pkg', 'Here')).not.toContain('FACTS_REFUSED');
    await side.apply(recorded('PackagePublished', here));
    expect(await codesOf('app.pkg', 'Here')).not.toContain('FACTS_REFUSED');
    await refusal('stage', stamp(1_000));
    await side.dataSource.query(`UPDATE packages SET state = 'ANNOUNCED'`);
    expect(await codesOf('app.pkg', 'Here')).toContain('FACTS_REFUSED');
  });

  it('tells an item of a peer that could not be used', async () => {
    await side.apply(registered);
    await side.dataSource.query(
      `INSERT INTO state.unprocessable_events (reader, event_id, type, stream, reason, program)
       VALUES ($1, $2, 'FeedItem', 's', 'too odd', '1')`,
      [readerOf.feedOfPeer(PEER), here.packageId],
    );
    expect((await ask(here.packageId, 'Here')).reasons[0]?.words).toBe(
      'There told of the package what this server does not accept: too odd',
    );
  });
});
