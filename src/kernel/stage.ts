/** How far a package, or the packages a server takes, have come: Dev < Test < Prod. */
export const STAGES = ['Dev', 'Test', 'Prod'] as const;
export type Stage = (typeof STAGES)[number];

export const isStage = (value: unknown): value is Stage => STAGES.some((stage) => stage === value);

/** A server of stage S takes packages of stage S or higher: Dev takes all, Prod only Prod. */
export const takesStage = (server: Stage, pkg: Stage): boolean => STAGES.indexOf(pkg) >= STAGES.indexOf(server);

/** Is the stage the limit or one before it? */
export const isUpTo = (limit: Stage, stage: Stage): boolean => STAGES.indexOf(stage) <= STAGES.indexOf(limit);

export const lowerStage = (a: Stage, b: Stage): Stage => (isUpTo(b, a) ? a : b);
