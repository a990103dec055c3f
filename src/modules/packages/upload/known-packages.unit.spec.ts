import { QueryBus } from '@nestjs/cqrs';
import { describe, expect, it } from 'vitest';
import type { Stage } from '../../../kernel/stage.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { KnownPackages } from './known-packages.js';

class Identity extends ServerIdentity {
  readonly serverId = 'server-a';
  readonly name = 'Server A';
  readonly stage = 'Test';
  readonly reachable = true;
  readonly publicKey = '';

  constructor(readonly url: string) {
    super();
  }

  sign(): Uint8Array {
    return new Uint8Array(64);
  }
}

const SHA256 = 'ab'.repeat(32);
const addressAt = (url: string, stage: Stage, filename = 'Foo 1 #ü.pkg'): string => {
  const known = new KnownPackages(new QueryBus(Object.create(null)), new Identity(url));
  return known.addressOf({ id: 'p', filename, size: 1, sha1: '', sha256: SHA256, stage });
};

describe('the address of an uploaded package', () => {
  it.each([
    'https://packages.example.com',
    'http://10.0.0.1:8080',
    'https://example.com/odst',
    'https://example.com/a/b',
  ])('begins with the whole address of the server: %s', (url) => {
    const name = 'Foo%201%20%23%C3%BC.pkg';
    for (const stage of ['Test', 'Prod'] as const) expect(addressAt(url, stage)).toBe(`${url}/Packages/${name}`);
    expect(addressAt(url, 'Dev')).toBe(`${url}/api/packages/${name}?sha256=${SHA256}`);
    expect(URL.canParse(addressAt(url, 'Dev', '100%?&"🙂.pkg'))).toBe(true);
  });
});
