import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { allResolvers, printSchemaFile } from '../../src/cli/reference/program-api.js';
import { permissionNames, ROLES } from '../../src/kernel/access.js';
import { ACCOUNT_SOURCES } from '../../src/modules/accounts/contracts/account.events.js';
import { targetTypes } from '../../src/platform/eventsourcing/event-descriptions.js';
import { PACKAGE_STATUSES } from '../../src/modules/packages/contracts/package-view.js';
import { PEER_ROUTES, PEER_STATUSES } from '../../src/modules/peers/contracts/peer-view.js';
import { REPLICA_STATES } from '../../src/modules/replication/contracts/replica-view.js';
import { STAGES } from '../../src/kernel/stage.js';
import { buildSchema, GraphQLEnumType } from 'graphql';

it('schema.graphql is what the resolvers say; `npm run schema` writes it', async () => {
  expect(await readFile('schema.graphql', 'utf8')).toBe(await printSchemaFile());
});

it('every resolver of the source tree is part of it', () => {
  const files = readdirSync('src/modules', { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.resolver.ts'),
  );
  const declared = files.flatMap((file) => readFileSync(`src/modules/${file}`, 'utf8').match(/^@Resolver\(/gm) ?? []);
  expect(allResolvers()).toHaveLength(declared.length);
});

it.each([
  ['Stage', STAGES],
  ['PackageState', PACKAGE_STATUSES],
  ['ReplicaState', REPLICA_STATES],
  ['PeerState', PEER_STATUSES],
  ['PeerWay', PEER_ROUTES],
  ['AuditTargetType', Object.keys(targetTypes())],
  ['Role', ROLES],
  ['Permission', Object.keys(permissionNames())],
  ['AccountSource', ACCOUNT_SOURCES],
])('the values of %s are those of the contracts', async (name, values) => {
  const type = buildSchema(await readFile('schema.graphql', 'utf8')).getType(name);
  if (!(type instanceof GraphQLEnumType)) throw new Error(`${name} is no enum`);
  expect(
    type
      .getValues()
      .map((value) => value.name)
      .sort(),
  ).toEqual([...values].sort());
});

it.each([
  'server: Server!',
  'packages(',
  'package(',
  'peers: [Peer!]!',
  'peer(',
  'auditTrail(',
  'signIn(',
  'updateServer(',
  'setPackageStage(',
  'removePackage(',
  'createPeerInvitation(',
  'acceptPeerInvitation(',
  'updatePeer(',
  'suspendPeer(',
  'resumePeer(',
  'unregisterPeer(',
  'retryReplica(',
  'packageChanged(',
  'replicaProgressed(',
  'peerChanged(',
  'auditRecorded(',
])('the contract has %s', async (field) => {
  expect(await readFile('schema.graphql', 'utf8')).toContain(field);
});
