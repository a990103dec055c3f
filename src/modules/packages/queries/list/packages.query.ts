import { Query } from '@nestjs/cqrs';
import type { Stage } from '../../../../kernel/stage.js';
import type { Page } from '../../../../platform/paging/page.js';
import type { PackageStatus, PackageView } from '../../contracts/package-view.js';

export const PACKAGE_ORDER_FIELDS = ['FILENAME', 'PUBLISHED_AT', 'SIZE'] as const;
export type PackageOrderField = (typeof PACKAGE_ORDER_FIELDS)[number];

export interface PackageOrder {
  readonly field: PackageOrderField;
  readonly direction: 'ASC' | 'DESC';
}

/** Parts that are left out don't restrict. Without states, removed packages are left out. */
export interface PackageFilter {
  /** Text that the filename contains, in any case. */
  readonly filename?: string | null;
  readonly stages?: readonly Stage[] | null;
  readonly states?: readonly PackageStatus[] | null;
}

/** A page of packages. @throws Refusal INVALID_CURSOR, INVALID_REQUEST */
export class PackagesQuery extends Query<Page<PackageView>> {
  constructor(
    readonly filter: PackageFilter,
    readonly order: PackageOrder,
    readonly first: number,
    readonly after: string | null,
  ) {
    super();
  }
}

/** How many packages a filter lets through. */
export class PackageCountQuery extends Query<number> {
  constructor(readonly filter: PackageFilter) {
    super();
  }
}
