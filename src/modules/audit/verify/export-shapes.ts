import { z } from 'zod';
import type { Json } from '../../../kernel/events.js';
import { type TargetType, targetTypes } from '../../../platform/eventsourcing/event-descriptions.js';

const Value = z.json() as z.ZodType<Json>;
const Text = z.string();

/** Checked when a line is read, because by then all modules have declared the targets of their events. */
const Target = z.custom<TargetType>((value) => typeof value === 'string' && Object.hasOwn(targetTypes(), value));

const Header = z.object({
  format: z.literal(1),
  serverId: Text,
  serverName: Text,
  at: Text,
  filter: z.record(z.string(), z.unknown()).nullable(),
  stories: z.number(),
  entries: z.number(),
});

const Shown = z.object({
  target: z.object({ type: Target, id: Text, label: Text.nullable() }),
  summary: Text,
  details: z.record(z.string(), Value),
  changes: z.array(z.object({ field: Text, before: Value, after: Value })),
  origin: z.object({ serverId: Text, serverName: Text.nullable(), actor: Text.nullable() }).nullable(),
});

export const Metadata = z.looseObject({
  schemaVersion: z.number(),
  serverId: Text,
  actor: z.looseObject({ kind: z.enum(['account', 'token', 'peer', 'system', 'stranger']), id: Text, name: Text }),
  address: Text.nullable(),
  correlationId: Text,
  causationId: Text.nullable(),
});

const Entry = z.object({
  number: z.int(),
  id: Text,
  type: Text,
  stream: Text,
  revision: z.int(),
  recordedAt: z.iso.datetime(),
  metadata: Value,
  data: Value,
  previous: Text,
  hash: Text,
  shown: Shown.nullable(),
});

const End = z.object({
  entries: z.int(),
  number: z.int(),
  hash: Text,
  lines: Text,
  serverId: Text,
  at: Text,
  key: Text,
  signature: Text,
});

/** The schema of one line of an export. */
export const Line = z.union([
  z.strictObject({ entry: Entry }),
  z.strictObject({ checkpoint: z.unknown() }),
  z.strictObject({ export: Header }),
  z.strictObject({ end: End }),
]);
export type Line = z.output<typeof Line>;
export type EntryLine = z.output<typeof Entry>;
export type HeaderLine = z.output<typeof Header>;
export type EndLine = z.output<typeof End>;
