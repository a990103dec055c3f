import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { cameByHttps } from '../forwarded/caller-address.js';

export const STRICT_TRANSPORT = 'Strict-Transport-Security';

const strictTransportValues = new WeakMap<Duplex, string>();

/** HTTP Strict Transport Security (RFC 6797): browsers that once came by https never try http again for so long. */
export class StrictTransport {
  private readonly value: string;

  /** @param seconds 0 makes browsers forget it at once */
  constructor(seconds: number) {
    this.value = `max-age=${seconds}`;
  }

  /** The header's value; null for what came by http, where it must not be sent (RFC 6797, 7.2). */
  for(request: IncomingMessage): string | null {
    return cameByHttps(request) ? this.value : null;
  }

  /** Answers that are written on the connection itself will carry it, too. */
  note(socket: Duplex): void {
    strictTransportValues.set(socket, this.value);
  }
}

/** The header as a line of an answer that is written by hand, or nothing. */
export function strictTransportLine(socket: Duplex): string {
  const value = strictTransportValues.get(socket);
  return value === undefined ? '' : `${STRICT_TRANSPORT}: ${value}\r\n`;
}
