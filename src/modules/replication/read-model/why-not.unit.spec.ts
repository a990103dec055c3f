import { describe, expect, it } from 'vitest';
import type { PackageView } from '../../packages/contracts/package-view.js';
import type { ReplicaView } from '../contracts/replica-view.js';
import type { WatchedContact } from './peer-watch.js';
import { type AbsenceFacts, type AskedPeer, explainOwnAbsence, explainPeerAbsence, withReasonsOf } from './why-not.js';

const SINCE = new Date('2026-01-02T03:04:05Z');
const OWN = { id: 'o', name: 'Berlin', stage: 'Test' } as const;
const B = { id: 'b', name: 'Munich' };
const pkg = (change: Partial<PackageView> = {}): PackageView => ({
  id: 'p',
  filename: 'Foo.pkg',
  size: 1,
  sha1: '',
  sha256: '',
  chunkSize: 1,
  chunkCount: 1,
  stage: 'Prod',
  state: 'AVAILABLE',
  publishedAt: SINCE,
  firstPublishedAt: SINCE,
  originId: 'o',
  originName: 'Berlin',
  uploadedBy: 'admin',
  ...change,
});
const replica = (change: Partial<ReplicaView>): ReplicaView => ({
  packageId: 'p',
  server: B,
  local: false,
  state: 'FETCHING',
  size: 1,
  chunkCount: 1,
  verifiedRuns: [],
  verifiedChunks: 0,
  verifiedBytes: 0,
  rejectedChunks: 0,
  progress: 0.256,
  sourcePeer: null,
  failure: null,
  delay: null,
  lastError: null,
  requestedAt: null,
  publishedAt: null,
  lineage: [],
  ...change,
});
const ours = (change: Partial<ReplicaView>) => replica({ local: true, server: OWN, ...change });
const reached: WatchedContact = { following: true, since: SINCE, lastError: null, nextTryAt: null, unknown: null };
const AWAY: WatchedContact = { ...reached, following: false, lastError: 'connection refused' };
const UNWATCHED: WatchedContact = { ...reached, following: null, unknown: { reason: 'Nobody watches.', since: SINCE } };
const peer = (change: Partial<AskedPeer> = {}): AskedPeer => ({
  ...B,
  suspended: false,
  isSentTo: true,
  isReceivedFrom: true,
  sendOpensAt: null,
  contact: reached,
  stage: 'Prod',
  refuses: false,
  toldStage: null,
  ...change,
});
const known = (change: Partial<AbsenceFacts> = {}): AbsenceFacts => ({
  own: OWN,
  pkg: pkg(),
  replicas: [],
  peers: [peer()],
  refused: [],
  missingRoles: [],
  ...change,
});
const codes = (reasons: readonly { code: string }[]) => reasons.map(({ code }) => code);
const words = (reasons: readonly { words: string }[]) => reasons.map((one) => one.words).join('\n');

describe('why a package is not on this server', () => {
  const delayed = (code: string) =>
    known({ pkg: pkg({ state: 'REPLICATING' }), replicas: [ours({ delay: { code, reason: 'it says so.' } })] });
  it.each<[string, AbsenceFacts, string[], string]>([
    ['is here', known(), ['HELD'], 'Berlin has'],
    ['a later one is served', known({ pkg: pkg({ state: 'SUPERSEDED' }) }), ['SUPERSEDED'], 'later'],
    ['was removed', known({ pkg: pkg({ state: 'REMOVED', stage: 'Dev' }) }), ['REMOVED'], 'Foo.pkg was removed'],
    [
      'has a stage that does not reach it',
      known({ pkg: pkg({ state: 'ANNOUNCED', stage: 'Dev' }) }),
      ['STAGE'],
      'Dev, and Berlin takes packages from the stage Test',
    ],
    ['is withheld', known({ pkg: pkg({ state: 'WITHHELD', stage: 'Dev' }) }), ['STAGE'], 'Promote'],
    ['is being fetched', known({ pkg: pkg({ state: 'REPLICATING' }), replicas: [ours({})] }), ['FETCHING'], '25 %'],
    ['the disk is full', delayed('INSUFFICIENT_STORAGE'), ['DISK_FULL', 'FETCHING'], 'it says so.'],
    ['a window is closed', delayed('OUTSIDE_WINDOW'), ['POLICY', 'FETCHING'], 'it says so.'],
    ['the source is away', delayed('PEER_UNREACHABLE'), ['PEER_AWAY', 'FETCHING'], 'it says so.'],
    ['nobody has it', delayed('NO_SOURCE'), ['FETCHING', 'NO_SOURCE'], 'it says so.'],
    ['the storage fails', delayed('STORAGE_FAILS'), ['DELAYED', 'FETCHING'], 'it says so.'],
    [
      'no worker runs',
      known({ pkg: pkg({ state: 'REPLICATING' }), replicas: [ours({})], missingRoles: ['No worker.'] }),
      ['NOT_WATCHED', 'FETCHING'],
      'No worker.',
    ],
    [
      'was given up',
      known({
        pkg: pkg({ state: 'FAILED' }),
        replicas: [ours({ state: 'FAILED', failure: { code: 'DIGEST_MISMATCH', reason: 'The disk.' } })],
      }),
      ['FAILED'],
      'DIGEST_MISMATCH): The disk.',
    ],
    [
      'is damaged',
      known({ pkg: pkg({ state: 'DAMAGED' }), replicas: [ours({ delay: { code: 'NO_SOURCE', reason: 'none.' } })] }),
      ['DAMAGED', 'NO_SOURCE'],
      'none.',
    ],
    [
      'was withdrawn, and its source is away',
      known({
        pkg: pkg({ state: 'ANNOUNCED' }),
        replicas: [ours({ state: 'WITHDRAWN' })],
        peers: [peer({ contact: AWAY })],
      }),
      ['WITHDRAWN', 'PEER_AWAY', 'NO_SOURCE'],
      'connection refused',
    ],
    [
      'a promotion was refused',
      known({ pkg: pkg({ state: 'ANNOUNCED', stage: 'Dev' }), refused: [{ peerName: 'Munich', reason: 'no right.' }] }),
      ['STAGE', 'FACTS_REFUSED'],
      'no right.',
    ],
  ])('says that it %s', (_, facts, expected, text) => {
    const reasons = explainOwnAbsence(facts);
    expect(codes(reasons)).toEqual(expected);
    expect(words(reasons)).toContain(text);
  });

  it.each<[string, Partial<AbsenceFacts>, string[], string]>([
    ['letter case', {}, ['UNKNOWN_PACKAGE'], 'Letter case'],
    ['the stage', { peers: [peer({ toldStage: 'Dev' })] }, ['STAGE', 'UNKNOWN_PACKAGE'], 'from the stage Test on'],
    [
      'news that are still to come',
      { peers: [peer({ toldStage: 'Prod' })] },
      ['NOT_HEARD_YET', 'UNKNOWN_PACKAGE'],
      'Munich knows',
    ],
    [
      'a suspended peer',
      { peers: [peer({ suspended: true, contact: null })] },
      ['SUSPENDED', 'UNKNOWN_PACKAGE'],
      'resumePeer',
    ],
    [
      'a direction',
      { peers: [peer({ isReceivedFrom: false, contact: null })] },
      ['POLICY', 'UNKNOWN_PACKAGE'],
      'SEND_ONLY',
    ],
    [
      'a peer that is away',
      { peers: [peer({ contact: AWAY })] },
      ['PEER_AWAY', 'UNKNOWN_PACKAGE'],
      'connection refused',
    ],
    [
      'a peer that nobody watches',
      { peers: [peer({ contact: UNWATCHED })] },
      ['NOT_WATCHED', 'UNKNOWN_PACKAGE'],
      'Nobody watches.',
    ],
    ['a missing worker', { missingRoles: ['No worker.'] }, ['NOT_WATCHED', 'UNKNOWN_PACKAGE'], 'No worker.'],
    [
      'refused facts',
      { refused: [{ peerName: 'Munich', reason: 'forged.' }] },
      ['FACTS_REFUSED', 'UNKNOWN_PACKAGE'],
      'Munich told of the package what this server does not accept: forged.',
    ],
  ])('says for an unknown one: %s', (_, change, expected, text) => {
    const reasons = explainOwnAbsence(known({ pkg: null, ...change }));
    expect(codes(reasons)).toEqual(expected);
    expect(words(reasons)).toContain(text);
  });
});

describe('why a package is not on another server', () => {
  it.each<[string, Partial<AbsenceFacts>, Partial<AskedPeer> | null, string[], string]>([
    ['it is', { replicas: [replica({ state: 'PUBLISHED' })] }, {}, ['HELD'], 'Munich has told'],
    ['it is unknown here', { pkg: null }, {}, ['UNKNOWN_PACKAGE'], 'cannot tell it to Munich'],
    ['it was removed', { pkg: pkg({ state: 'REMOVED' }) }, {}, ['REMOVED'], 'removed'],
    ['it is no peer', {}, null, ['NOT_A_PEER'], 'not registered'],
    ['it is suspended', {}, { suspended: true, contact: null }, ['SUSPENDED', 'NOT_HEARD_YET'], 'resumePeer'],
    ['of the direction', {}, { isSentTo: false }, ['POLICY', 'NOT_HEARD_YET'], 'RECEIVE_ONLY'],
    ['of a window', {}, { sendOpensAt: '2026-01-02 22:00' }, ['POLICY', 'NOT_HEARD_YET'], '2026-01-02 22:00'],
    [
      'of the stage',
      { pkg: pkg({ stage: 'Test' }) },
      {},
      ['STAGE', 'NOT_HEARD_YET'],
      'Munich takes packages from the stage Prod on',
    ],
    ['of its rights', {}, { refuses: true }, ['RIGHTS', 'NOT_HEARD_YET'], 'setPeerRights'],
    [
      'this server has it only in part',
      { pkg: pkg({ state: 'REPLICATING' }) },
      {},
      ['NO_SOURCE', 'NOT_HEARD_YET'],
      'REPLICATING',
    ],
    ['it is away', {}, { contact: AWAY }, ['PEER_AWAY', 'NOT_HEARD_YET'], 'connection refused'],
    ['nobody watches it', {}, { contact: UNWATCHED }, ['NOT_WATCHED', 'NOT_HEARD_YET'], 'Nobody watches.'],
    ['it is fetching it', { replicas: [replica({})] }, {}, ['FETCHING'], 'whyNot(package: "p", server: "Munich")'],
    ['it has not said a word', {}, { stage: null }, ['NOT_HEARD_YET'], 'has not told its stage'],
  ])('says that %s', (_, change, other, expected, text) => {
    const reasons = explainPeerAbsence(known(change), B, other && peer(other));
    expect(codes(reasons)).toEqual(expected);
    expect(words(reasons)).toContain(text);
  });
});

describe('what the other server says itself', () => {
  const failed = { code: 'FAILED', words: 'Munich has given it up.' } as const;

  it('takes the place of what this server supposes', () => {
    const here = explainPeerAbsence(known({ replicas: [replica({})] }), B, peer());
    expect(withReasonsOf(peer(), [failed], here)).toEqual([
      { code: 'FAILED', words: 'Munich says: Munich has given it up.' },
    ]);
  });

  it('counts more than what it told before', () => {
    const here = explainPeerAbsence(known({ replicas: [replica({ state: 'PUBLISHED' })] }), B, peer());
    expect(codes(withReasonsOf(peer(), [failed], here))).toEqual(['FAILED']);
  });

  it('is added to what this server knows', () => {
    const here = explainPeerAbsence(known(), B, peer({ isSentTo: false, refuses: true }));
    expect(codes(withReasonsOf(peer(), [failed], here))).toEqual(['POLICY', 'RIGHTS', 'FAILED']);
  });

  it('is left out when the other one does not know the package', () => {
    const here = explainPeerAbsence(known(), B, peer());
    expect(withReasonsOf(peer(), [{ code: 'UNKNOWN_PACKAGE', words: 'no' }], here)).toEqual(here);
    expect(withReasonsOf(peer(), [], here)).toEqual(here);
  });
});
