import type { ReplicasToReviewQuery } from '../../../src/modules/replication/read-model/own-replicas.query.js';
import { ourReplica, type OurReplica } from '../../../src/modules/replication/replica/our-replica.js';
import type { FilenameHolder, FilenameHoldersQuery } from '../../../src/modules/packages/contracts/package-queries.js';
import type { SupersededPackagesQuery } from '../../../src/modules/packages/read-model/superseded-packages.query.js';
import { replicaEvents } from '../../../src/modules/replication/contracts/replica.events.js';
import type { MeshIdentity } from './mesh-identity.js';
import type { LogFile } from './mesh-log.js';
import { isGone, Shown } from './shown.js';

/** Since when which replicas are withdrawn because of their stage. */
export function withdrawnIn(file: LogFile): ReadonlyMap<string, Date> {
  const replicas = new Map<string, OurReplica>();
  for (const record of file.all) {
    const event = replicaEvents.read(record);
    if (!event) continue;
    const { packageId } = event.data;
    replicas.set(packageId, ourReplica.evolve(replicas.get(packageId) ?? ourReplica.initial, event));
  }
  const withdrawn = [...replicas].flatMap(([id, { withdrawnSince }]) => (withdrawnSince ? [[id, withdrawnSince]] : []));
  return new Map(withdrawn as [string, Date][]);
}

/** What the read models answer, once they have caught up. */
export class SupersededFromLog {
  constructor(
    private readonly file: LogFile,
    private readonly identity: MeshIdentity,
  ) {}

  async execute({ packageId }: SupersededPackagesQuery) {
    const shown = new Shown(this.file.all, this.identity.stage);
    const [served, ...rest] = shown.candidates(shown.find(packageId)?.filename ?? '');
    if (!served || rest.length === 0) return null;
    return { packageIds: rest.map(({ id }) => id), by: { packageId: served.id, publication: served.publication } };
  }
}

export class FilenameHoldersFromLog {
  constructor(private readonly file: LogFile) {}

  async execute({ filename }: FilenameHoldersQuery): Promise<readonly FilenameHolder[]> {
    return new Shown(this.file.all, 'Dev').packages
      .filter((row) => row.filename === filename && !isGone(row))
      .map((row) => ({ ...row, packageId: row.id }));
  }
}

export class ToReviewFromLog {
  constructor(private readonly file: LogFile) {}

  async execute({ after }: ReplicasToReviewQuery): Promise<readonly string[]> {
    const here = new Shown(this.file.all, 'Dev').packages.filter(({ held, fetching }) => held || fetching !== null);
    const ids = new Set([...here.map(({ id }) => id), ...withdrawnIn(this.file).keys()]);
    return [...ids]
      .filter((id) => id > (after ?? ''))
      .toSorted()
      .slice(0, 2);
  }
}
