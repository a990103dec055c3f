/** The stages of a package, in order: Dev < Test < Prod. */
export const STAGES = ['Dev', 'Test', 'Prod'] as const;
export type Stage = (typeof STAGES)[number];

export const isStage = (value: unknown): value is Stage => STAGES.some((stage) => stage === value);

/** True when a server of one stage takes packages of another: Dev takes all packages, Test those of Test and Prod, Prod only its own. */
export const takesStage = (server: Stage, pkg: Stage): boolean => STAGES.indexOf(pkg) >= STAGES.indexOf(server);

/** True when a stage is the limit or comes before it. */
export const isUpTo = (limit: Stage, stage: Stage): boolean => STAGES.indexOf(stage) <= STAGES.indexOf(limit);

/** The stage that comes first of two. */
export const lowerStage = (a: Stage, b: Stage): Stage => (isUpTo(b, a) ? a : b);
