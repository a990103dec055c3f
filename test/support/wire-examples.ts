const ID = '5b1f6f0a-3c53-5d0e-9a53-0d3f4f5b7a11';
const KEY = 'A'.repeat(43);
const STAMP = '019ad0000000-0000-5b1f6f0a-3c53-5d0e-9a53-0d3f4f5b7a11';
const TIME = '2026-01-31T12:00:00.000Z';
const NAME = 'Bérlin 1';

const base64 = (bytes: number): string => Buffer.alloc(bytes).toString('base64');
const author = { serverId: ID, serverName: NAME, actor: NAME };
const lineage = [{ serverId: ID, name: NAME, verifiedAt: TIME }];
const page = { first: 0, count: 2, sha1: base64(40), sha256: base64(64) };

/** Facts of a package of two chunks. */
export const exampleFacts = {
  packageId: ID,
  filename: 'a b.pkg',
  size: 1024 * 1024 + 1,
  sha1: '0'.repeat(40),
  sha256: 'f'.repeat(64),
  chunkSize: 1024 * 1024,
  chunkCount: 2,
  stage: 'Dev',
  stageStamp: STAMP,
  publication: STAMP,
  removal: STAMP,
  firstPublishedAt: TIME,
  origin: { serverId: ID, name: NAME },
  uploadedBy: NAME,
};

const about = {
  packageId: ID,
  filename: 'a b.pkg',
  sha256: 'f'.repeat(64),
  serverId: ID,
  serverName: NAME,
  actor: NAME,
};
const signed = { publicKey: KEY, signature: 'A'.repeat(86) };
const successions = [{ previousPublicKey: KEY, publicKey: KEY, proof: 'A'.repeat(86) }];

/** A signed statement of each kind, in the order of their shapes. */
const proofs = [
  {
    statement: {
      kind: 'publication',
      ...about,
      size: 1024 * 1024 + 1,
      sha1: '0'.repeat(40),
      chunkSize: 1024 * 1024,
      chunkCount: 2,
      publication: STAMP,
      stage: { stage: 'Dev', stamp: STAMP },
      firstPublishedAt: TIME,
    },
    ...signed,
  },
  { statement: { kind: 'stage', ...about, stage: 'Dev', stamp: STAMP }, ...signed },
  { statement: { kind: 'removal', ...about, stamp: STAMP }, ...signed },
];

/** An item of a feed in which nothing is left out. */
export const exampleItem = {
  facts: exampleFacts,
  authors: { stage: author, removal: author },
  held: { verifiedAt: TIME, lineage },
  fetching: { lineage },
  digests: page,
  proofs,
  introductions: [{ serverId: ID, name: NAME, keys: [KEY], successions, introducedBy: ID, ...signed }],
};

/** A value for each wire schema that it accepts, in which nothing is left out. */
export const WIRE_EXAMPLES: Readonly<Record<string, unknown>> = {
  'item of a feed': exampleItem,
  'refused item of a feed': { facts: { packageId: ID } },
  manifest: { packageId: ID, pages: [page] },
  inventory: {
    stage: 'Dev',
    takes: true,
    latestStamp: STAMP,
    buckets: Array.from({ length: 256 }, () => ({ registers: 'f'.repeat(64), held: '' })),
    refused: 'c'.repeat(64),
  },
  'entries of an inventory': { entries: [] },
  'refused packages': { packageIds: [ID] },
  'reasons of a peer': { reasons: [{ code: 'FAILED', words: 'Bérlin 1 has given it up.' }] },
  'entry of an inventory': {
    packageId: ID,
    stage: 'Dev',
    stageStamp: STAMP,
    publication: STAMP,
    removal: STAMP,
    firstPublishedAt: 1_700_000_000,
    held: true,
  },
  'items that were asked for': { items: [] },
  'available chunks': { verified: [{ first: 0, count: 1 }] },
  'request for an inventory': { stage: 'Dev' },
  'request for entries': { bucket: '255', after: ID, first: '1000' },
  'request for refused packages': { after: ID, first: '1000' },
  'request for items': { ids: [ID] },
  'id of a package in a path': ID,
  registration: {
    invitationId: ID,
    secret: KEY,
    serverId: ID,
    name: NAME,
    url: 'https://packages.example.com',
    publicKey: KEY,
    expectedKey: KEY,
    successions,
  },
  'answer to a registration': { serverId: ID, publicKey: KEY, name: NAME },
  invitation: {
    v: 1,
    invitationId: ID,
    url: 'https://packages.example.com',
    serverId: ID,
    publicKey: KEY,
    secret: KEY,
    expiresAt: TIME,
    successions,
  },
  'answer to an announced key': { publicKey: KEY },
  'announced key': { publicKey: KEY, rotation: 1, proof: 'A'.repeat(86), successions },
  'answer to an announced address': { url: 'https://packages.example.com' },
  'announced address': { url: 'https://packages.example.com' },
  'question for an identity': { challenge: KEY },
  'proof of an identity': { serverId: ID, url: 'https://packages.example.com', proof: 'A'.repeat(86) },
  'introduction of a caller': { serverId: ID, publicKey: KEY },
  'query of an export': { format: 'csv', kinds: 'a,b', actor: 'a', target: 'b', text: 'c', since: TIME, until: TIME },
};
