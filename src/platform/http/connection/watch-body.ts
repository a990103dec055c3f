import type { IncomingMessage, ServerResponse } from 'node:http';
import { hasBody, sendError } from '../errors/send-error.js';
import type { PublicError } from '../errors/public-error.js';
import type { ConnectionLimits } from './patience.js';

const requestTimeout = (message: string): PublicError => ({ status: 408, code: 'REQUEST_TIMEOUT', message });

/** Uploads, which take as long as they take. */
const isUpload = ({ url }: IncomingMessage): boolean => url?.startsWith('/api/') === true;

/**
 * Refuses a body that does not come: a small one has to be there in time, an upload has to go on. What waits here for us
 * to read it is not late.
 */
export function watchBody(request: IncomingMessage, response: ServerResponse, patience: ConnectionLimits): void {
  if (!hasBody(request)) return;
  const refuse = (message: string): void => {
    stop();
    sendError(request, response, requestTimeout(message));
  };
  const timer = isUpload(request)
    ? watchUploadPace(request, patience, () =>
        refuse('The upload does not go on: less than 4 KiB have arrived in a minute. Send the file again.'),
      )
    : setTimeout(() => refuse('The body of the request did not arrive in time.'), patience.bodyMs);
  const stop = (): void => clearTimeout(timer);
  request.once('end', stop).once('close', stop);
}

function watchUploadPace(
  request: IncomingMessage,
  { paceMs, leastBytes }: ConnectionLimits,
  onStall: () => void,
): NodeJS.Timeout {
  let before = request.socket.bytesRead;
  return setInterval(() => {
    const arrived = request.socket.bytesRead - before;
    before += arrived;
    if (arrived < leastBytes && request.readableLength === 0) onStall();
  }, paceMs);
}
