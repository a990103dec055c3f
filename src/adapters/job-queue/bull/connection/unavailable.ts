import { JobQueueUnavailable } from '../../../../ports/job-queue.port.js';
import { messageOf } from '../../../shared/errors.js';

/** Callers are told within this time. */
const ANSWER_TIMEOUT_MS = 4_000;
/** Replies of a Redis that cannot do it now; any other reply is a mistake of ours. */
const TEMPORARY_REPLIES =
  /^(LOADING|OOM|READONLY|MASTERDOWN|MISCONF|BUSY|TRYAGAIN|CLUSTERDOWN|NOAUTH|WRONGPASS|NOREPLICAS)/;

const isTemporary = (error: unknown): boolean =>
  !(error instanceof Error && error.name === 'ReplyError') || TEMPORARY_REPLIES.test(messageOf(error));

/** The answer of Redis. @throws JobQueueUnavailable when it gives none in time */
export async function answerOf<T>(asked: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Redis did not answer within ${ANSWER_TIMEOUT_MS} ms`)),
      ANSWER_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([asked, late]);
  } catch (error) {
    throw isTemporary(error) ? new JobQueueUnavailable(error) : error;
  } finally {
    clearTimeout(timer);
  }
}
