import type { Socket } from 'node:net';
import { DirectoryUnavailable } from '../../../ports/directory.port.js';

const OID = Buffer.from('1.3.6.1.4.1.1466.20037');
/** LDAPMessage 1, ExtendedRequest, requestName (RFC 4511, 4.14). */
const REQUEST = Buffer.concat([
  Buffer.from([0x30, OID.length + 7, 0x02, 0x01, 0x01, 0x77, OID.length + 2, 0x80, OID.length]),
  OID,
]);
const MAX_ANSWER_BYTES = 4_096;

interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** Reads the BER element that begins at `at`. Null when its head has not arrived. */
function readElement(bytes: Buffer, at: number): Element | null {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || first === undefined) return null;
  if (first < 0x80) return { tag, start: at + 2, end: at + 2 + first };
  const count = first - 0x80;
  if (count < 1 || count > 4) return { tag: 0, start: 0, end: 0 };
  if (bytes.length < at + 2 + count) return null;
  const start = at + 2 + count;
  return { tag, start, end: start + bytes.readUIntBE(at + 2, count) };
}

/** Returns the result code of the answer, null while it is incomplete, and -1 when it is not valid or more follows it. */
export function readResultCode(bytes: Buffer): number | null {
  const message = readElement(bytes, 0);
  if (!message || (message.tag === 0x30 && bytes.length < message.end))
    return bytes.length > MAX_ANSWER_BYTES ? -1 : null;
  const id = readElement(bytes, message.start);
  const answer = id && readElement(bytes, id.end);
  const code = answer && readElement(bytes, answer.start);
  const isAnswer = message.tag === 0x30 && id?.tag === 0x02 && answer?.tag === 0x78 && code?.tag === 0x0a;
  // An attacker can append bytes in plain text, which would then be taken for encrypted ones.
  return isAnswer && bytes.length === message.end ? (bytes[code.start] ?? -1) : -1;
}

/** Asks the server to continue with TLS. Nothing else may be sent before. @throws DirectoryUnavailable */
export function requestTls(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let arrived = Buffer.alloc(0);
    const endWith = (settle: () => void): void => {
      socket.off('data', onData).off('close', onClose);
      settle();
    };
    const onClose = (): void =>
      endWith(() =>
        reject(new DirectoryUnavailable('The directory closed the connection after the request for StartTLS.')),
      );
    const onData = (chunk: Buffer): void => {
      arrived = Buffer.concat([arrived, chunk]);
      const code = readResultCode(arrived);
      if (code === null) return;
      const message = `The directory refuses StartTLS (result ${code}). Use ldaps://, or set up TLS in the directory.`;
      endWith(code === 0 ? resolve : () => reject(new DirectoryUnavailable(message)));
    };
    socket.on('data', onData).on('close', onClose);
    socket.write(REQUEST);
  });
}
