import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import * as fc from 'fast-check';
import { createSignatureSync, verifySignature, type SignatureParameters } from 'http-message-sig';
import { describe, expect, it } from 'vitest';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import {
  contentDigest,
  matchesContentDigest,
  RECIPIENT_HEADER,
  SIGNATURE_TAG,
  SIGNED_COMPONENTS,
} from './signature-format.js';
import { verifyEd25519 } from './ed25519.js';
import { PeerRequestSigner } from './peer-request-signer.js';
import { verifyCall, type SignedCall } from './verify-call.js';

const { privateKey } = generateKeyPairSync('ed25519');
const publicKey = String(privateKey.export({ format: 'jwk' }).x);

class Caller extends ServerIdentity {
  readonly serverId = 'caller-id';
  readonly name = 'Caller';
  readonly url = 'https://caller.example';
  readonly stage = 'Prod';
  readonly reachable = true;
  readonly publicKey = publicKey;
  sign = (bytes: Uint8Array): Uint8Array => sign(null, bytes, privateKey);
}

const identity = new Caller();
const signer = new PeerRequestSigner(identity, { keyKnownTo: () => publicKey });
const target = 'http://berlin.example:8080/peer/v1/feed?after=1';
const body = Buffer.from('{"a":1}');
const now = () => Math.floor(Date.now() / 1000);

type Headers = Record<string, string>;
const call = (headers: Headers, change: Partial<SignedCall> = {}): SignedCall => ({
  method: 'POST',
  targets: [target],
  fields: Object.entries(headers).map(([name, value]) => ({ name, value })),
  ...change,
});
const signed = (): Headers => signer.sign({ method: 'POST', url: target, body, to: 'berlin-id' });
const knownKey = async (keyId: string) => (keyId === 'caller-id' ? publicKey : null);
const verify = (signedCall: SignedCall, at = now()) => verifyCall(signedCall, knownKey, at);
const refused = (code: string) => expect.objectContaining({ code });

/** A signature like ours but for what is given. */
function signedWith(parameters: SignatureParameters, components: readonly string[] = SIGNED_COMPONENTS): Headers {
  const headers = { 'content-digest': contentDigest(body) };
  const created = now();
  const { signature, signatureInput } = createSignatureSync(
    {
      kind: 'request',
      method: 'POST',
      targetUri: target,
      fields: [{ name: 'content-digest', value: headers['content-digest'] }],
    },
    {
      components,
      parameters: {
        created,
        expires: created + 60,
        nonce: 'n'.repeat(22),
        keyid: 'caller-id',
        tag: SIGNATURE_TAG,
        ...parameters,
      },
      signer: { algorithm: 'ed25519', sign: identity.sign },
    },
  );
  return { ...headers, signature, 'signature-input': signatureInput };
}

describe('the library', () => {
  it('agrees with the vector of RFC 9421, B.2.6', async () => {
    const x = 'JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs';
    const d = 'n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU';
    const input =
      '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"';
    const expected = 'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==';
    const message = {
      kind: 'request',
      method: 'POST',
      targetUri: 'https://example.com/foo?param=Value&Pet=dog',
      fields: [
        { name: 'Date', value: 'Tue, 20 Apr 2021 02:07:55 GMT' },
        { name: 'Content-Type', value: 'application/json' },
        { name: 'Content-Length', value: '18' },
        { name: 'Signature-Input', value: `sig-b26=${input}` },
        { name: 'Signature', value: `sig-b26=:${expected}:` },
      ],
    } as const;
    const verifier = {
      algorithm: 'ed25519',
      verify: (data: Uint8Array, bytes: Uint8Array) => verifyEd25519(x, data, bytes),
    };
    await verifySignature(message, {
      policy: { algorithms: ['ed25519'], requiredComponents: ['date'], requiredParameters: ['created'] },
      resolveVerifier: () => verifier,
    });
    const key = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', x, d }, format: 'jwk' });
    const components = ['date', '@method', '@path', '@authority', 'content-type', 'content-length'];
    const made = createSignatureSync(message, {
      components,
      parameters: { created: 1_618_884_473, keyid: 'test-key-ed25519' },
      signer: { algorithm: 'ed25519', sign: (bytes) => sign(null, bytes, key) },
    });
    expect(made.signature).toBe(`sig1=:${expected}:`);
  });
});

describe('a signed call', () => {
  it('is verified', async () => {
    const headers = signed();
    const verified = await verify(call(headers));
    expect(verified).toMatchObject({ keyId: 'caller-id', recipient: 'berlin-id' });
    expect(verified.expires - now()).toBeLessThanOrEqual(60);
    expect(matchesContentDigest(headers['content-digest'] ?? '', body)).toBe(true);
  });

  it('is verified without a recipient, where none is known', async () => {
    const headers = signer.sign({ method: 'POST', url: target, to: null });
    expect(await verify(call(headers))).toMatchObject({ recipient: null });
  });

  it('is verified by what was meant when a proxy rewrote it', async () => {
    await verify(call(signed(), { targets: ['http://inside:80/feed', target] }));
  });

  it.each<[string, Partial<SignedCall>]>([
    ['method', { method: 'PUT' }],
    ['authority', { targets: ['http://paris.example:8080/peer/v1/feed?after=1'] }],
    ['port', { targets: ['http://berlin.example/peer/v1/feed?after=1'] }],
    ['path', { targets: ['http://berlin.example:8080/peer/v1/feed/?after=1'] }],
    ['query', { targets: ['http://berlin.example:8080/peer/v1/feed?after=2'] }],
    ['query left out', { targets: ['http://berlin.example:8080/peer/v1/feed'] }],
    ['no target', { targets: [] }],
  ])('is refused when it is changed: %s', async (_, change) => {
    await expect(verify(call(signed(), change))).rejects.toEqual(refused('PEER_SIGNATURE_INVALID'));
  });

  it.each<[string, (headers: Headers) => Headers]>([
    ['digest', (headers) => ({ ...headers, 'content-digest': contentDigest(Buffer.from('x')) })],
    ['recipient', (headers) => ({ ...headers, [RECIPIENT_HEADER]: 'paris-id' })],
    ['recipient left out', (headers) => without(headers, RECIPIENT_HEADER)],
    ['digest left out', (headers) => without(headers, 'content-digest')],
    ['created', (headers) => ({ ...headers, 'signature-input': later(headers, 'created') })],
    ['expires', (headers) => ({ ...headers, 'signature-input': later(headers, 'expires') })],
    [
      'nonce',
      (headers) => ({
        ...headers,
        'signature-input': (headers['signature-input'] ?? '').replace('nonce="', 'nonce="A'),
      }),
    ],
    ['signature', (headers) => ({ ...headers, signature: 'sig1=:AAAA:' })],
    ['not a signature', (headers) => ({ ...headers, signature: 'nonsense' })],
  ])('is refused when a header is changed: %s', async (_, change) => {
    await expect(verify(call(change(signed())))).rejects.toEqual(refused('PEER_SIGNATURE_INVALID'));
  });

  it.each(['signature', 'signature-input'])('is refused without %s', async (name) => {
    await expect(verify(call(without(signed(), name)))).rejects.toEqual(refused('PEER_SIGNATURE_MISSING'));
  });

  it('is refused with two signatures, even when both are right', async () => {
    const [first, second] = [signed(), signed()];
    const both = (name: string) => `${first[name]}, ${(second[name] ?? '').replace('sig1=', 'sig2=')}`;
    const headers = { ...first, signature: both('signature'), 'signature-input': both('signature-input') };
    await expect(verify(call(headers))).rejects.toEqual(refused('PEER_SIGNATURE_INVALID'));
  });

  it.each(SIGNED_COMPONENTS.map((left) => [left]))('is refused when it does not cover %s', async (left) => {
    const headers = signedWith(
      {},
      SIGNED_COMPONENTS.filter((component) => component !== left),
    );
    await expect(verify(call(headers))).rejects.toEqual(refused('PEER_SIGNATURE_INVALID'));
  });

  it.each<[string, SignatureParameters]>([
    ['another tag', { tag: 'other' }],
    ['no tag', { tag: undefined }],
    ['no nonce', { nonce: undefined }],
    ['a short nonce', { nonce: 'short' }],
    ['no created', { created: undefined }],
    ['no expires', { expires: undefined }],
    ['a long life', { expires: now() + 3_600 }],
    ['expires before created', { expires: now() - 1 }],
  ])('is refused with %s', async (_, parameters) => {
    await expect(verify(call(signedWith(parameters)))).rejects.toEqual(refused('PEER_SIGNATURE_INVALID'));
  });

  it('is refused when it claims another algorithm', async () => {
    const headers = signed();
    const claimed = { ...headers, 'signature-input': `${headers['signature-input']};alg="hmac-sha256"` };
    await expect(verify(call(claimed))).rejects.toEqual(refused('PEER_SIGNATURE_INVALID'));
  });

  it('is refused when it covers more than is agreed', async () => {
    await expect(verify(call(signedWith({}, [...SIGNED_COMPONENTS, '@scheme'])))).rejects.toEqual(
      refused('PEER_SIGNATURE_INVALID'),
    );
  });

  it.each([
    ['stale', 61],
    ['from the future', -61],
  ])('is refused when it is %s, and says by how much', async (_, seconds) => {
    const made = now();
    const headers = signedWith({ created: made, expires: made + 60 });
    await expect(verify(call(headers), made + seconds)).rejects.toEqual(refused('PEER_CLOCK_OFF'));
    await expect(verify(call(headers), made + seconds)).rejects.toThrow('clock off by 61 s');
  });

  it('is refused when it has expired', async () => {
    const made = now();
    const headers = signedWith({ created: made, expires: made + 10 });
    await verify(call(headers), made + 10);
    await expect(verify(call(headers), made + 11)).rejects.toThrow('expired');
  });

  it('tells a stranger nothing but that the key is unknown', async () => {
    const stale = verifyCall(call(signed()), async () => null, now() + 1_000);
    await expect(stale).rejects.toEqual(refused('PEER_KEY_UNKNOWN'));
    await expect(stale).rejects.toThrow(/^unknown key$/);
  });

  it('is never taken for another key', async () => {
    const other = String(generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x);
    const stranger = verifyCall(call(signed()), async () => other, now() + 1_000);
    await expect(stranger).rejects.toEqual(refused('PEER_SIGNATURE_INVALID'));
    await expect(stranger).rejects.not.toThrow(/clock/);
  });

  it('is refused for whatever stands in the signature headers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), async (signature, input) => {
        const refusal = await verify(call({ ...signed(), signature, 'signature-input': input })).catch(
          (error: unknown) => error,
        );
        expect(refusal).toEqual(refused('PEER_SIGNATURE_INVALID'));
      }),
    );
  });
});

describe('Content-Digest', () => {
  it('names exactly these bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(matchesContentDigest(contentDigest(a), b)).toBe(Buffer.from(a).equals(Buffer.from(b)));
      }),
    );
  });

  it.each(['', 'sha-256', 'sha-256=abc', 'sha-512=:AAAA:', 'sha-256=:AAAA:', 'sha-256=("a")', '('])(
    'is not "%s"',
    (header) => {
      expect(matchesContentDigest(header, Buffer.alloc(0))).toBe(false);
    },
  );
});

const without = (headers: Headers, left: string): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name !== left));

/** The signature-input with one of its times moved by a second. */
function later(headers: Headers, parameter: string): string {
  return (headers['signature-input'] ?? '').replace(
    new RegExp(`${parameter}=(\\d+)`),
    (_, time: string) => `${parameter}=${Number(time) + 1}`,
  );
}
