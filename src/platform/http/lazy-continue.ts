import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Answers `Expect: 100-continue` (RFC 9110, 10.1.1) when somebody begins to read the body, and not at all when the
 * request is refused before: then the body is never sent.
 */
export function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  const read = request.read.bind(request);
  request.read = (size) => {
    request.read = read;
    if (!response.headersSent && !response.writableEnded) response.writeContinue();
    return read(size);
  };
}
