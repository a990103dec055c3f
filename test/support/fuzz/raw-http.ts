import { connect, type Socket } from 'node:net';
import type { Answer } from './answers.js';

/** Longer than the server takes to let go of somebody whom it has refused in the middle of a body. */
const PATIENCE_MS = 20_000;

interface Options {
  /** Closes the own side after the last byte. */
  readonly halfClose?: boolean;
}

function parseHead(text: string): { status: number; headers: Map<string, string> } {
  const [first = '', ...lines] = text.split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const at = line.indexOf(':');
    headers.set(line.slice(0, at).toLowerCase(), line.slice(at + 1).trim());
  }
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(first) ?? [];
  if (status === undefined) throw new Error(`This is no answer: ${JSON.stringify(text.slice(0, 200))}`);
  return { status: Number(status), headers };
}

/** The first whole answer in these bytes that is final; null when there is none yet. */
function answerIn(bytes: Buffer, isClosed: boolean, isHead: boolean): Answer | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const { status, headers } = parseHead(bytes.subarray(0, end).toString('latin1'));
  const rest = bytes.subarray(end + 4);
  if (status === 100) return answerIn(rest, isClosed, isHead);
  if (isHead || status === 304 || status === 204) return { status, headers, body: Buffer.alloc(0) };
  const length = headers.get('content-length');
  if (length !== undefined)
    return rest.length >= Number(length) ? { status, headers, body: rest.subarray(0, Number(length)) } : null;
  return isClosed ? { status, headers, body: rest } : null;
}

/** Sends bytes as they are, over a connection of their own. Null when it was closed without a word. */
export function sendRaw(
  port: number,
  bytes: Buffer | string,
  { halfClose = false }: Options = {},
): Promise<Answer | null> {
  const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  const isHead = data.subarray(0, 5).toString('latin1') === 'HEAD ';
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let received: Buffer = Buffer.alloc(0);
    const timer = setTimeout(
      () => end(() => reject(new Error(`No answer to ${JSON.stringify(data.toString('latin1').slice(0, 300))}`))),
      PATIENCE_MS,
    );
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const look = (isClosed: boolean): void => {
      try {
        const answer = answerIn(received, isClosed, isHead);
        if (answer || isClosed) end(() => resolve(answer));
      } catch (error) {
        end(() => reject(error));
      }
    };
    socket.on('data', (part: Buffer) => {
      received = Buffer.concat([received, part]);
      look(false);
    });
    socket
      .on('end', () => look(true))
      .on('close', () => look(true))
      .on('error', () => undefined);
    socket.write(data);
    if (halfClose) socket.end();
  });
}
