/** What an audit entry is about. A replica is told as part of its package. */
export const TARGET_TYPES = ['PACKAGE', 'PEER', 'INVITATION', 'ACCOUNT', 'SERVER'] as const;
export type TargetType = (typeof TARGET_TYPES)[number];
