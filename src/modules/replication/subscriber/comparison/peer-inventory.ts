import { z } from 'zod';
import { isStamp } from '../../../../kernel/hybrid-clock.js';
import { STAGES } from '../../../../kernel/stage.js';
import { BUCKET_COUNT, MAX_ENTRIES_PER_PAGE, MAX_ITEMS_PER_REQUEST } from '../../contracts/inventory.js';

const Stamp = z.string().refine(isStamp, 'is no stamp');
const Digest = z.string().max(64);

/** A peer's answer to `GET /peer/v1/inventory`. */
export const PeerInventory = z.object({
  stage: z.enum(STAGES),
  /** Does it take packages from us? */
  takes: z.boolean().default(true),
  latestStamp: Stamp.nullable(),
  buckets: z.array(z.object({ registers: Digest, held: Digest })).length(BUCKET_COUNT),
});

/** A peer's answer to `GET /peer/v1/inventory/<bucket>`. */
export const PeerEntries = z.object({
  entries: z
    .array(
      z.object({
        packageId: z.uuid(),
        stage: z.enum(STAGES),
        stageStamp: Stamp,
        publication: Stamp,
        removal: Stamp.nullable(),
        firstPublishedAt: z.number(),
        held: z.boolean(),
      }),
    )
    .max(MAX_ENTRIES_PER_PAGE),
});

/** A peer's answer to `POST /peer/v1/items`; each item is checked where it is read. */
export const PeerItems = z.object({ items: z.array(z.unknown()).max(MAX_ITEMS_PER_REQUEST) });
