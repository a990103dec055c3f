import { extendLineage, type Lineage } from '../../contracts/lineage.js';
import type { ReplicaReported } from '../../contracts/replica.events.js';
import type { ReplicaEntity } from './replica.entity.js';

/** The way to a peer's copy, and that peer itself. */
export const lineageTo = ({ lineage, peerId, peerName, verifiedAt }: ReplicaReported['data']): Lineage =>
  extendLineage(lineage, { serverId: peerId, name: peerName, verifiedAt });

/** The peer that most chunks came from; null when none came, as for a file that was taken back. */
function mainSource({ delivered }: ReplicaEntity): string | null {
  const [first] = Object.entries(delivered).toSorted(([, a], [, b]) => b - a);
  return first?.[0] ?? null;
}

/** Our copy is whole: by which way did it come? `rowOf` finds the copies of peers. */
export function withLineage(own: ReplicaEntity, rowOf: (serverId: string) => ReplicaEntity | undefined): ReplicaEntity {
  const source = mainSource(own) ?? (own.lineage.length === 0 ? own.sourceId : null);
  return source === null ? own : { ...own, lineage: rowOf(source)?.lineage ?? [] };
}

const serverIds = (way: Lineage): string => way.map(({ serverId }) => serverId).join();

/** A peer that passed chunks on before it had them all tells later when it was done: the same way with its times. */
export const withLineageTimes = (own: ReplicaEntity, way: Lineage): ReplicaEntity =>
  serverIds(own.lineage) === serverIds(way) ? { ...own, lineage: way } : own;
