import type { RawHandler } from '../../platform/http/ods-http-adapter.js';
import { sendError } from '../../platform/http/errors/send-error.js';

const HEALTH_PATH = /^\/(health\/|metrics(\?|$))/;

/** What a worker answers: whether it lives. Everything else is asked of the processes that answer HTTP. */
export const answerHealthOnly: RawHandler = (request, response) => {
  if (HEALTH_PATH.test(request.url ?? '')) return false;
  const message = 'This process is a worker (ODST_ROLE=worker): it answers /health/live and /health/ready only.';
  sendError(request, response, { status: 404, code: 'NOT_FOUND', message });
  return true;
};
