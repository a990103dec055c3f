import * as fc from 'fast-check';
import type { Stamp } from '../../../src/kernel/hybrid-clock.js';
import { STAGES } from '../../../src/kernel/stage.js';
import type { PeerItem } from '../../../src/modules/replication/follow/feed-item.js';
import type { Mesh } from './mesh.js';

const stage = fc.constantFrom(...STAGES);
/** Whose change it is said to be: an index of the servers. */
const server = fc.nat(1_000);

const change = fc.oneof(
  fc.record({ kind: fc.constant('stage' as const), stage, server }),
  fc.record({ kind: fc.constant('removal' as const), server }),
  fc.record({ kind: fc.constant('publication' as const), server }),
  fc.record({ kind: fc.constant('earlier' as const) }),
  fc.record({ kind: fc.constant('uploader' as const) }),
  fc.record({ kind: fc.constant('without proofs' as const) }),
  fc.record({ kind: fc.constant('altered proofs' as const) }),
  fc.record({ kind: fc.constant('proofs of another' as const), message: fc.nat(1_000) }),
  fc.record({ kind: fc.constant('held' as const) }),
);
type Change = typeof change extends fc.Arbitrary<infer C> ? C : never;

/** A liar sends a message of its feed again, altered. Its link is one of those on which liars are followed. */
export const lie = fc.record({
  kind: fc.constant('lie' as const),
  link: fc.nat(1_000),
  message: fc.nat(1_000),
  changes: fc.array(change, { minLength: 1, maxLength: 3 }),
  opened: fc.nat(60),
});
export type Lie = typeof lie extends fc.Arbitrary<infer L> ? L : never;

type Sent = Omit<PeerItem, 'held'> & { readonly held: PeerItem['held'] };

/** Tells the lie on one of the links whose peers are liars. */
export function tellLie(mesh: Mesh, { link, message, changes }: Lie, liars: ReadonlySet<string>): void {
  const links = mesh.links.filter(({ follower, peer }) => liars.has(peer.id) && !liars.has(follower.id));
  const chosen = links[link % Math.max(1, links.length)];
  const said = chosen?.sent[message % Math.max(1, chosen.sent.length)];
  if (!chosen || !said) return;
  const others = chosen.sent.map(({ item }) => item);
  const altered = changes.reduce((item, change) => alter(item, change, { mesh, others }), said.item);
  mesh.track(chosen.tell(JSON.parse(JSON.stringify(altered))));
}

interface Told {
  readonly mesh: Mesh;
  readonly others: readonly Sent[];
}

function alter(item: Sent, change: Change, { mesh, others }: Told): Sent {
  const { facts, proofs, held } = item;
  switch (change.kind) {
    case 'stage':
      return { ...item, facts: { ...facts, stage: change.stage, stageStamp: stampOf(mesh, change.server) } };
    case 'removal':
      return { ...item, facts: { ...facts, removal: stampOf(mesh, change.server) } };
    case 'publication': {
      const { id } = mesh.server(change.server);
      const publication = stampOf(mesh, change.server);
      return { ...item, facts: { ...facts, publication, origin: { serverId: id, name: id } } };
    }
    case 'earlier':
      return { ...item, facts: { ...facts, firstPublishedAt: '2020-01-01T00:00:00Z' } };
    case 'uploader':
      return { ...item, facts: { ...facts, uploadedBy: 'admin of all' } };
    case 'without proofs':
      return { ...item, proofs: [] };
    case 'altered proofs':
      return {
        ...item,
        proofs: proofs.map((proof) => ({ ...proof, statement: { ...proof.statement, actor: 'somebody else' } })),
      };
    case 'proofs of another':
      return { ...item, proofs: others[change.message % Math.max(1, others.length)]?.proofs ?? [] };
    case 'held':
      return { ...item, held: held ? null : { verifiedAt: facts.firstPublishedAt, lineage: [] } };
  }
}

/** A stamp of now, as the server could have made it. */
const stampOf = (mesh: Mesh, server: number): Stamp =>
  `${mesh.now.toString(16).padStart(12, '0')}-0000-${mesh.server(server).id}`;
