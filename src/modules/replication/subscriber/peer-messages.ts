import { z } from 'zod';
import { isStamp } from '../../../kernel/hybrid-clock.js';
import { STAGES } from '../../../kernel/stage.js';

const HexDigest = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const Stamp = z.string().refine(isStamp, 'is no stamp');
const Name = z.string().max(200);
const Count = z.number().int().nonnegative();

const Facts = z.object({
  packageId: z.uuid(),
  filename: z.string().max(255),
  size: Count,
  sha1: HexDigest(20),
  sha256: HexDigest(32),
  chunkSize: Count,
  chunkCount: Count,
  stage: z.enum(STAGES),
  stageStamp: Stamp,
  publication: Stamp,
  removal: Stamp.nullable(),
  firstPublishedAt: z.iso.datetime(),
  origin: z.object({ serverId: z.string().max(64), name: Name }),
  uploadedBy: Name,
});

const Page = z.object({ first: Count, count: Count, sha1: z.string().max(20_000), sha256: z.string().max(30_000) });

const LineageSteps = z
  .array(z.object({ serverId: z.string().max(64), name: Name, verifiedAt: z.iso.datetime().nullable() }))
  .max(64);

const Author = z.object({ serverId: z.string().max(64), serverName: Name.nullable(), actor: Name.nullable() });

/** An item of a peer's feed. Fields that a newer server adds are left out. */
export const PeerItem = z.object({
  facts: Facts,
  /** A server of an earlier version does not tell. */
  authors: z.object({ stage: Author.nullable(), removal: Author.nullable() }).default({ stage: null, removal: null }),
  held: z.object({ verifiedAt: z.iso.datetime(), lineage: LineageSteps.default([]) }).nullable(),
  /** While it fetches the package: its verified chunks can be had. */
  fetching: z.object({ lineage: LineageSteps }).nullable().default(null),
  digests: Page.nullable(),
});
export type PeerItem = z.infer<typeof PeerItem>;

/** The digests of all chunks; whether they are complete is checked where they are recorded. */
export const PeerManifest = z.object({ packageId: z.uuid(), pages: z.array(Page) });
