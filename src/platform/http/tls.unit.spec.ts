import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tlsFile } from '../../../test/support/tls/certificates.js';
import { findCertificateProblems, findChainProblems, loadKeyPair, type KeyPairFiles } from './tls-key-pair.js';
import { CertificateProblems } from './certificate-problems.js';
import { OdsHttpAdapter } from './ods-http-adapter.js';
import { ServedKeyPair } from './served-key-pair.js';

const shipped = (cert: string, key: string): KeyPairFiles => ({ certFile: tlsFile(cert), keyFile: tlsFile(key) });
const messageOf = (files: KeyPairFiles): string => {
  try {
    loadKeyPair(files);
    return 'loaded';
  } catch (error) {
    return String(error);
  }
};

describe('a certificate and its key', () => {
  it('are taken when they belong together', () => {
    expect(messageOf(shipped('first.crt', 'first.key'))).toBe('loaded');
  });

  it.each([
    ['a missing certificate', shipped('none.crt', 'first.key'), /ODST_TLS_CERT_FILE names a file that cannot be read/],
    ['a missing key', shipped('first.crt', 'none.key'), /ODST_TLS_KEY_FILE names a file that cannot be read/],
    [
      'a folder',
      { certFile: tmpdir(), keyFile: tlsFile('first.key') },
      /ODST_TLS_CERT_FILE names a file that cannot be read/,
    ],
    ['no certificate', shipped('first.key', 'first.key'), /ODST_TLS_CERT_FILE is not a certificate/],
    ['no key', shipped('first.crt', 'first.crt'), /ODST_TLS_KEY_FILE is not a private key/],
    ['the key of another', shipped('first.crt', 'second.key'), /is not the one of the certificate/],
  ])('%s is told in one line', (_, files, line) => {
    expect(messageOf(files)).toMatch(line);
    expect(messageOf(files)).not.toContain('\n');
  });

  const folder = mkdtempSync(join(tmpdir(), 'odst-pem-'));
  const written = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const text = (name: string): string => readFileSync(tlsFile(name), 'utf8');
  const [leaf, intermediate, root] = [text('leaf.crt'), text('intermediate.crt'), text('root.crt')];
  const halfOf = (pem: string): string => pem.slice(0, pem.length / 2);

  it.each([
    [
      'an intermediate certificate before the one of the key',
      intermediate + leaf,
      /wrong order: .* is number 2\. Put it first/,
    ],
    ['the authority first', root + intermediate + leaf, /wrong order: .* is number 3/],
    ['half a certificate', halfOf(leaf), /^StartupError: ODST_TLS_CERT_FILE is cut off: block 1 \(CERTIFICATE\)/],
    ['half an intermediate certificate', leaf + halfOf(intermediate), /is cut off: block 2 \(CERTIFICATE\)/],
    ['half a certificate before a whole one', `${halfOf(leaf)}\n${intermediate}`, /is cut off: block 1/],
    [
      'the second half of a certificate',
      leaf.slice(leaf.length / 2) + intermediate,
      /is cut off: .* no line that begins it/,
    ],
    ['a damaged certificate', leaf.replace(/\n[A-Za-z0-9+/]{8}/, '\nAAAAAAAA'), /Certificate 1 .* is damaged/],
    [
      'a damaged intermediate certificate',
      leaf + intermediate.replace(/\n[A-Za-z0-9+/]{8}/, '\nAAAAAAAA'),
      /Certificate 2 .* is damaged/,
    ],
  ])('%s is told in one line', (name, pem, line) => {
    const told = messageOf({ certFile: written(name, pem), keyFile: tlsFile('leaf.key') });
    expect(told).toMatch(line);
    expect(told).not.toContain('\n');
  });

  it('half a key is told in one line', () => {
    const told = messageOf({ certFile: tlsFile('leaf.crt'), keyFile: written('half.key', halfOf(text('leaf.key'))) });
    expect(told).toMatch(/ODST_TLS_KEY_FILE is cut off: block 1 \(PRIVATE KEY\)/);
  });

  const chainProblems = (pem: string, ...trusted: string[]): string[] => {
    const pair = loadKeyPair({ certFile: written('chain.crt', pem), keyFile: tlsFile('leaf.key') });
    return findChainProblems(
      pair,
      trusted.map((one) => new X509Certificate(one)),
    );
  };

  it('are doubted without the intermediate certificate, unless clients know its authority', () => {
    const missing = [expect.stringMatching(/without the one of its issuer \(CN=ODST test intermediate\)/)];
    expect(chainProblems(leaf, root)).toEqual(missing);
    expect(chainProblems(leaf + root, root)).toEqual(missing);
    expect(chainProblems(leaf + intermediate, root)).toEqual([]);
    expect(chainProblems(leaf + intermediate + root)).toEqual([]);
    expect(chainProblems(leaf + root + intermediate)).toEqual([]);
    expect(chainProblems(leaf, intermediate)).toEqual([]);
    expect(chainProblems(leaf + intermediate)).toEqual([expect.stringMatching(/issuer \(CN=ODST test root\)/)]);
  });

  it('are doubted, or refused by later versions of Node.js, with an RSA key of 1024 bits', () => {
    const weak = shipped('weak.crt', 'weak.key');
    const loaded = messageOf(weak);
    const told = loaded === 'loaded' ? findChainProblems(loadKeyPair(weak), []).join() : loaded;
    expect(told).toMatch(/the key of CN=ODST test weak has only 1024 bits/);
    expect(told).not.toContain('\n');
  });

  it('are doubted when they are of no use to clients', () => {
    const [expired, first] = [
      loadKeyPair(shipped('expired.crt', 'first.key')),
      loadKeyPair(shipped('first.crt', 'first.key')),
    ];
    expect(findCertificateProblems(expired, null, Date.now())).toEqual([expect.stringMatching(/has expired/)]);
    expect(findCertificateProblems(first, 'https://127.0.0.1:8443', Date.now())).toEqual([]);
    expect(findCertificateProblems(first, 'https://localhost/ods', Date.now())).toEqual([]);
    expect(findCertificateProblems(first, 'https://ods.example', Date.now())).toEqual([
      expect.stringMatching(/not for the host/),
    ]);
    expect(findCertificateProblems(first, null, Date.parse(first.leaf.validTo) - 1000)).toEqual([
      expect.stringMatching(/expires at/),
    ]);
    expect(findCertificateProblems(first, null, Date.parse(first.leaf.validFrom) - 1000)).toEqual([
      expect.stringMatching(/not valid before/),
    ]);
  });
});

describe('a served certificate', () => {
  const logger = new Logger('test');
  const served: unknown[] = [];
  const server = { setSecureContext: ({ cert }: { cert?: unknown }) => void served.push(cert) };
  let folder: string;
  let files: KeyPairFiles;
  let stop: () => void = () => undefined;
  const lines = { log: vi.spyOn(logger, 'log'), warn: vi.spyOn(logger, 'warn'), error: vi.spyOn(logger, 'error') };

  const put = (name: string, to = folder): void => {
    for (const end of ['crt', 'key']) {
      copyFileSync(tlsFile(`${name}.${end}`), join(to, `new.${end}`));
      renameSync(join(to, `new.${end}`), join(to, `tls.${end}`));
    }
  };
  const follow = (): ServedKeyPair => {
    const pair = new ServedKeyPair(files, loadKeyPair(files), { logger, ownUrl: null, lookEveryMs: 10 });
    stop = pair.follow(server);
    return pair;
  };
  const serving = (tls: ServedKeyPair) => new OdsHttpAdapter({ tls });
  const subject = (pair: ServedKeyPair): string => pair.current.leaf.subject;

  beforeEach(() => {
    for (const line of Object.values(lines)) line.mockReset();
    served.length = 0;
    folder = mkdtempSync(join(tmpdir(), 'odst-tls-'));
    files = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') };
  });
  afterEach(() => stop());

  it('is changed with its files, when they are renamed into place', async () => {
    put('first');
    const pair = follow();
    put('second');
    await vi.waitFor(() => expect(subject(pair)).toContain('second'));
    expect(served.at(-1)).toBe(pair.current.cert);
  });

  it('is changed with the symbolic link to its folder, as in Kubernetes', async () => {
    for (const name of ['first', 'second']) {
      mkdirSync(join(folder, name));
      put(name, join(folder, name));
    }
    symlinkSync('first', join(folder, '..data'));
    for (const end of ['crt', 'key']) symlinkSync(join('..data', `tls.${end}`), join(folder, `tls.${end}`));
    const pair = follow();
    symlinkSync('second', join(folder, '..new'));
    renameSync(join(folder, '..new'), join(folder, '..data'));
    await vi.waitFor(() => expect(subject(pair)).toContain('second'));
  });

  it('stays when the new one is of no use, which is told once, until there is a good one', async () => {
    put('first');
    const pair = follow();
    copyFileSync(tlsFile('second.crt'), files.certFile);
    await vi.waitFor(() =>
      expect(lines.error).toHaveBeenCalledWith(
        expect.stringMatching(/so the former one stays in use\. .*is not the one/),
        undefined,
        'Tls',
      ),
    );
    writeFileSync(files.certFile, 'half a fi');
    await vi.waitFor(() => expect(lines.error).toHaveBeenCalledTimes(2));
    expect(subject(pair)).toContain('first');
    expect(served).toEqual([]);
    const shown = new CertificateProblems(Object.assign(new HttpAdapterHost(), { httpAdapter: serving(pair) }));
    expect(await shown.findProblems()).toMatchObject([
      { kind: 'TLS_CERTIFICATE', what: expect.stringMatching(/without the one of its issuer/) as string },
      { kind: 'TLS_CERTIFICATE', what: expect.stringMatching(/so the former one stays in use/) as string },
    ]);
    put('second');
    await vi.waitFor(() => expect(subject(pair)).toContain('second'));
    expect(await shown.findProblems()).toHaveLength(1);
  });

  it('is loaded anew at SIGHUP, changed or not', () => {
    put('first');
    follow();
    process.emit('SIGHUP');
    expect(lines.log).toHaveBeenCalledWith(expect.stringMatching(/was loaded/), 'Tls');
  });
});
