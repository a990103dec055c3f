import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LdapDirectory } from '../../../src/adapters/directory/ldap/ldap-directory.js';
import { readResultCode } from '../../../src/adapters/directory/ldap/start-tls.js';
import { hasOpenssl, makeCertificates } from '../../support/directory/certificates.js';
import { InProcessDirectory } from '../../support/directory/in-process/in-process-directory.js';
import { StartTlsFront } from '../../support/directory/in-process/start-tls-front.js';
import { BIND_PASSWORD, passwordOf } from '../../support/directory/people.js';
import { settingsOf } from '../../support/directory/settings-of.js';

let server: InProcessDirectory;
beforeAll(async () => {
  server = await InProcessDirectory.start();
});
afterAll(() => server.stop());

const withTls = (url = server.ldap, ca = server.ca) => new LdapDirectory(settingsOf(url, { startTls: true, ca }));
const inAnswerTo = async (answer: Buffer<ArrayBuffer>) => {
  const front = await StartTlsFront.start(1, server.tls, answer);
  try {
    return await withTls(`ldap://127.0.0.1:${front.port}`)
      .checkAccess()
      .catch((error: unknown) => String(error));
  } finally {
    await front.stop();
  }
};

describe('StartTLS', () => {
  it('comes before any name or password', async () => {
    expect(await withTls().authenticate('bob', passwordOf('bob'))).toMatchObject({ person: { username: 'bob' } });
    await withTls().authenticate('bob', 'wrong');
    const inPlainText = Buffer.concat(server.inPlainText).toString();
    for (const secret of [BIND_PASSWORD, passwordOf('bob'), 'wrong', 'bob', 'cn=ods'])
      expect(inPlainText).not.toContain(secret);
  });

  it('that is refused ends everything', async () => {
    expect(
      await inAnswerTo(
        Buffer.from([0x30, 0x0c, 0x02, 0x01, 0x01, 0x78, 0x07, 0x0a, 0x01, 0x35, 0x04, 0x00, 0x04, 0x00]),
      ),
    ).toMatch(/refuses StartTLS \(result 53\)/);
  });

  it('takes nothing that came unencrypted with the answer', async () => {
    const success = Buffer.from([0x30, 0x0c, 0x02, 0x01, 0x01, 0x78, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00]);
    expect(await inAnswerTo(Buffer.concat([success, success]))).toMatch(/refuses StartTLS/);
    expect(await inAnswerTo(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))).toMatch(/refuses StartTLS/);
  });

  it('reads answers in pieces and in long form', () => {
    const long = Buffer.from([
      0x30, 0x84, 0, 0, 0, 0x10, 0x02, 0x01, 0x01, 0x78, 0x84, 0, 0, 0, 7, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00,
    ]);
    expect(readResultCode(long)).toBe(0);
    for (let i = 0; i < long.length; i++) expect(readResultCode(long.subarray(0, i))).toBeNull();
    expect(readResultCode(Buffer.alloc(5_000, 0xff))).toBe(-1);
  });

  it.skipIf(!hasOpenssl && !process.env['CI'])(
    'needs a certificate of the right authority for the right name',
    async () => {
      const other = makeCertificates('DNS:elsewhere.example');
      try {
        await expect(withTls(server.ldap, other.ca).authenticate('bob', passwordOf('bob'))).rejects.toThrow(
          /certificate/,
        );
        const front = await StartTlsFront.start(1, other);
        await expect(withTls(`ldap://127.0.0.1:${front.port}`, other.ca).checkAccess()).rejects.toThrow(
          /ERR_TLS_CERT_ALTNAME_INVALID/,
        );
        await front.stop();
      } finally {
        other.remove();
      }
    },
  );
});
