import { z } from 'zod';
import { CHUNK_SIZE } from '../../../kernel/chunk-ranges.js';
import { STAGES } from '../../../kernel/stage.js';
import {
  ChunkCount,
  DigestPage,
  Filename,
  hexBytes,
  keySuccessions,
  LowerUuid,
  machineText,
  PackageSize,
  PublicKey,
  serverName,
  Signature,
  Stamp,
  Time,
} from '../../../platform/input/parsers.js';
import { type ReadBy, wireSchema } from '../../../platform/input/wire-schema.js';

/** The name of an account, or of a token and its account. */
const ActorName = machineText({ min: 1, max: 200 });
const Name = serverName(200);

const Facts = z
  .object({
    packageId: LowerUuid,
    filename: Filename,
    size: PackageSize,
    sha1: hexBytes(20),
    sha256: hexBytes(32),
    chunkSize: z.literal(CHUNK_SIZE),
    chunkCount: ChunkCount,
    stage: z.enum(STAGES),
    stageStamp: Stamp,
    publication: Stamp,
    removal: Stamp.nullable(),
    firstPublishedAt: Time,
    origin: z.object({ serverId: LowerUuid, name: Name }),
    uploadedBy: ActorName,
  })
  .refine(({ size, chunkCount }) => chunkCount === Math.ceil(size / CHUNK_SIZE), {
    path: ['chunkCount'],
    message: 'must be the number of chunks that `size` needs',
  });

const LineageSteps = z.array(z.object({ serverId: LowerUuid, name: Name, verifiedAt: Time.nullable() })).max(64);

const Author = z.object({ serverId: LowerUuid, serverName: Name.nullable(), actor: ActorName.nullable() });

/** What every statement says. */
const About = {
  packageId: LowerUuid,
  filename: Filename,
  sha256: hexBytes(32),
  serverId: LowerUuid,
  serverName: Name,
  actor: ActorName,
};

const Statement = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('publication'),
    ...About,
    size: PackageSize,
    sha1: hexBytes(20),
    chunkSize: z.literal(CHUNK_SIZE),
    chunkCount: ChunkCount,
    publication: Stamp,
    stage: z.object({ stage: z.enum(STAGES), stamp: Stamp }).nullable(),
    firstPublishedAt: Time,
  }),
  z.object({ kind: z.literal('stage'), ...About, stage: z.enum(STAGES), stamp: Stamp }),
  z.object({ kind: z.literal('removal'), ...About, stamp: Stamp }),
]);

const SignedFactShape = z.object({ statement: Statement, publicKey: PublicKey, signature: Signature });

const MAX_KEYS = 16;

const IntroductionShape = z.object({
  serverId: LowerUuid,
  name: Name,
  /** The last one is the current key. */
  keys: z.array(PublicKey).min(1).max(MAX_KEYS),
  successions: keySuccessions(MAX_KEYS),
  introducedBy: LowerUuid,
  publicKey: PublicKey,
  signature: Signature,
});

/** A package has at most one signed statement for each register, and two introductions for each of their servers. */
const MAX_PROOFS = 4;
const MAX_INTRODUCTIONS = 2 * MAX_PROOFS;

/** An item of a peer's feed. Fields that a newer version adds are ignored. */
export const PeerItem = wireSchema(
  'item of a feed',
  z
    .object({
      facts: Facts,
      /** A server of an earlier version does not send them. */
      authors: z
        .object({ stage: Author.nullable(), removal: Author.nullable() })
        .default({ stage: null, removal: null }),
      held: z.object({ verifiedAt: Time, lineage: LineageSteps.default([]) }).nullable(),
      /** Set while the peer fetches the package, when its verified chunks can be requested. */
      fetching: z.object({ lineage: LineageSteps }).nullable().default(null),
      digests: DigestPage.nullable(),
      /** Signed statements of the facts. A server of an earlier version does not send them. */
      proofs: z.array(SignedFactShape).max(MAX_PROOFS).default([]),
      /** The keys of the servers that signed. */
      introductions: z.array(IntroductionShape).max(MAX_INTRODUCTIONS).default([]),
    })
    .refine(({ facts, digests }) => !digests || (digests.first === 0 && digests.count === facts.chunkCount), {
      path: ['digests', 'count'],
      message: 'must be the number of all chunks',
    }),
);
export type PeerItem = ReadBy<typeof PeerItem>;
