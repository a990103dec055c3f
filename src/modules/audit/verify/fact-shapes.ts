import { z } from 'zod';
import { STAGES } from '../../../kernel/stage.js';
import type { SignedFact } from '../../packages/contracts/signed-facts.js';

const Text = z.string();
const Stage = z.enum(STAGES);

const about = {
  packageId: Text,
  filename: Text,
  sha256: Text,
  serverId: Text,
  serverName: Text,
  actor: Text,
};

const content = { size: z.number(), sha1: Text, chunkSize: z.number(), chunkCount: z.number() };

/** A signed statement, without anything that its signature does not cover. */
export const SignedFactShape: z.ZodType<SignedFact> = z.strictObject({
  statement: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('publication'),
      ...about,
      ...content,
      publication: Text,
      stage: z.strictObject({ stage: Stage, stamp: Text }).nullable(),
      firstPublishedAt: Text,
    }),
    z.strictObject({ kind: z.literal('stage'), ...about, stage: Stage, stamp: Text }),
    z.strictObject({ kind: z.literal('removal'), ...about, stamp: Text }),
  ]),
  publicKey: Text,
  signature: Text,
});

const Source = z.object({ kind: z.enum(['local', 'peer']) });
const Author = z.object({ serverId: Text, serverName: Text.nullable(), actor: Text.nullable() });

/** Statements are parsed one by one, so that one that can't be read is told. */
const proofs = { proofs: z.array(z.unknown()).default([]) };

const change = {
  packageId: Text,
  filename: Text,
  stamp: Text,
  source: Source,
  by: Author.nullish(),
  proof: z.unknown().optional(),
};

/** The data of events that change a package, as far as its statements tell the same. */
export const FactEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('PackagePublished'),
    data: z.object({
      ...content,
      packageId: Text,
      filename: Text,
      sha256: Text,
      stage: Stage,
      stageStamp: Text,
      publication: Text,
      firstPublishedAt: Text,
      origin: z.object({ serverId: Text, name: Text }),
      uploadedBy: Text,
      source: Source,
      ...proofs,
    }),
  }),
  z.object({ type: z.literal('PackageStageChanged'), data: z.object({ ...change, to: Stage }) }),
  z.object({ type: z.literal('PackageRemoved'), data: z.object(change) }),
  z.object({
    type: z.literal('PackageFactsSigned'),
    data: z.object({ packageId: Text, filename: Text, source: Source, ...proofs }),
  }),
]);
export type FactEvent = z.output<typeof FactEvent>;
type EventOf<T extends FactEvent['type']> = Extract<FactEvent, { type: T }>['data'];
export type PublishedData = EventOf<'PackagePublished'>;
export type ChangedData = EventOf<'PackageStageChanged'> | EventOf<'PackageRemoved'>;

/** Who recorded an event. */
export const Recorder = z.object({ serverId: Text, actor: z.object({ name: Text }) });
export type Recorder = z.output<typeof Recorder>;

/** The statements that an event brings, as they are. */
export function toldProofs({ type, data }: FactEvent): readonly unknown[] {
  if (type === 'PackagePublished' || type === 'PackageFactsSigned') return data.proofs;
  return data.proof === undefined || data.proof === null ? [] : [data.proof];
}
