import { CHUNK_SIZE } from '../../../ports/package-storage.port.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import type { ChunkRequest } from '../../../ports/peer-transport.port.js';
import type { RequestSigner } from '../../../ports/request-signer.port.js';
import type { Origin } from './chunks/messages.js';
import type { Via } from './destination.js';
import type { Trust } from './json-calls.js';

interface ContentRequest {
  readonly origin: Origin;
  /** The same request twice, each with a signature of its own. */
  readonly heads: readonly [string, string];
}

/** The heads of a request for the bytes of one run of chunks. */
export function buildContentRequest(
  signer: RequestSigner,
  peer: PeerContact,
  request: ChunkRequest,
  { ca }: Trust,
  via: Via,
): ContentRequest {
  const url = new URL(`${peer.url}/peer/v1/packages/${encodeURIComponent(request.packageId)}/content`);
  const head = () => {
    const signed = signer.sign({ method: 'GET', url: url.href, to: peer.peerId });
    return headOf(url, { range: rangeOf(request), 'accept-encoding': 'identity', ...signed });
  };
  return {
    origin: via ? { secure: false, ...via, ca: undefined } : originOf(url, ca),
    heads: [head(), head()],
  };
}

function originOf(url: URL, ca: string | undefined): Origin {
  const secure = url.protocol === 'https:';
  return { secure, host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || (secure ? 443 : 80)), ca };
}

function rangeOf({ run, packageSize }: ChunkRequest): string {
  const first = run.first * CHUNK_SIZE;
  return `bytes=${first}-${Math.min(first + run.count * CHUNK_SIZE, packageSize) - 1}`;
}

function headOf(url: URL, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n${lines.join('')}\r\n`;
}
