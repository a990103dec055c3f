import { ByteBucket } from '../../../../kernel/peer-policy/byte-bucket.js';
import type { RateLimit } from './messages.js';

const buckets = new Map<string, ByteBucket>();

/** The bucket of this thread that all runs with the key of the limit share, at the rate that was heard of last. */
export function bucketOf({ key, bytesPerSecond }: RateLimit): ByteBucket {
  const bucket = buckets.get(key) ?? new ByteBucket(bytesPerSecond);
  bucket.bytesPerSecond = bytesPerSecond;
  buckets.set(key, bucket);
  return bucket;
}
