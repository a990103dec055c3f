import type { AuditEntryEntity } from '../projections/entries/audit-entry.entity.js';

type LabelledRow = Pick<AuditEntryEntity, 'targetId' | 'targetLabel' | 'targetType' | 'kind'>;

/**
 * The names of packages. Some events don't tell theirs; entries get it when any other does, also later: a publication
 * names those before it. So what was shown before the name is known has to fit it when it comes.
 */
export class PackageLabels {
  private readonly known = new Map<string, string>();
  /** Labels that were shown before any event told them. */
  private readonly claimed = new Map<string, string | null>();

  fitsEntry({ targetId, targetLabel, targetType, kind }: LabelledRow, shown: string | null): boolean {
    if (targetLabel !== null)
      return shown === targetLabel && (targetType !== 'PACKAGE' || this.learnLabel(targetId, targetLabel, kind));
    if (targetType !== 'PACKAGE') return shown === null;
    const known = this.known.get(targetId);
    if (known !== undefined) return shown === known;
    const before = this.claimed.get(targetId);
    if (typeof before === 'string' && shown !== before) return false;
    this.claimed.set(targetId, shown);
    return true;
  }

  private learnLabel(id: string, label: string, kind: string): boolean {
    const claimed = this.claimed.get(id);
    this.claimed.delete(id);
    this.known.set(id, label);
    if (claimed === undefined || claimed === label) return true;
    return claimed === null && kind !== 'PackagePublished';
  }
}
