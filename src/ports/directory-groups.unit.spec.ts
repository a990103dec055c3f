import { assert, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dnKey, parseRoleMap, rightsOf } from './directory-groups.js';

const ADMINS = 'cn=ODS Admins,ou=groups,dc=example,dc=org';
const PACKAGERS = 'cn=Packagers,ou=groups,dc=example,dc=org';

describe('distinguished names', () => {
  it.each([
    ['CN=Ann,DC=Example', 'cn=ann,dc=example'],
    ['cn=a , dc = b', 'cn=a,dc=b'],
    ['cn=a\\2Cb,dc=x', 'cn=a\\,b,dc=x'],
    ['cn=Zo\\C3\\AB,dc=x', 'cn=ZOË,dc=x'],
    ['cn=a+uid=b,dc=x', 'uid=B+CN=A,dc=x'],
    ['cn=two   spaces,dc=x', 'cn=two spaces,dc=x'],
    ['cn=end\\ ,dc=x', 'cn=end,dc=x'],
  ])('%j and %j are one', (a, b) => {
    expect(dnKey(a)).not.toBeNull();
    expect(dnKey(a)).toBe(dnKey(b));
  });

  it.each([
    ['cn=a,dc=x', 'cn=a\\,dc=x'],
    ['cn=a+b=c,dc=x', 'cn=a\\+b=c,dc=x'],
    ['cn=ab,dc=x', 'cn=a b,dc=x'],
  ])('%j and %j are two', (a, b) => {
    expect(dnKey(a)).not.toBe(dnKey(b));
  });

  it.each(['', 'admins', '=x', 'cn=', 'cn=a,', ',cn=a', 'cn=a\\', 'cn=\\ff'])('%j is none', (text) => {
    expect(dnKey(text)).toBeNull();
  });

  it('ends with any text', () => {
    assert(
      property(string({ unit: 'binary', maxLength: 200 }), (text) => {
        const key = dnKey(text);
        expect(key === null || typeof key === 'string').toBe(true);
      }),
    );
  });
});

describe('the role map', () => {
  const map = parseRoleMap(
    `admin=${ADMINS}; publisher:Test = ${PACKAGERS}\npublisher:Prod=cn=release,dc=x;viewer=cn=a\\;b,dc=x;`,
  );

  it('gives the roles of all groups, and the highest limit', () => {
    expect(rightsOf([ADMINS.toUpperCase()], map)).toEqual({ roles: ['admin'], publishUpTo: null });
    expect(rightsOf([PACKAGERS, 'cn=other,dc=x'], map)).toEqual({ roles: ['publisher'], publishUpTo: 'Test' });
    expect(rightsOf([PACKAGERS, 'cn=release,dc=x', ADMINS], map)).toEqual({
      roles: ['publisher', 'admin'],
      publishUpTo: 'Prod',
    });
    expect(rightsOf(['cn=a\\;b,dc=x'], map).roles).toEqual(['viewer']);
    expect(rightsOf(['cn=a\\3Bb,dc=x'], map).roles).toEqual(['viewer']);
  });

  it('gives nothing for no group, and for what is no name', () => {
    expect(rightsOf([], map)).toEqual({ roles: [], publishUpTo: null });
    expect(rightsOf(['nonsense', ''], map)).toEqual({ roles: [], publishUpTo: null });
  });

  it.each([
    ['', /no group/],
    ['admins=cn=a,dc=x', /role/],
    ['admin', /role/],
    ['admin=admins', /distinguished name/],
    ['publisher=cn=a,dc=x', /stage/],
    ['publisher:Beta=cn=a,dc=x', /stage/],
    ['viewer:Dev=cn=a,dc=x', /only publisher/],
  ])('refuses %j', (text, why) => {
    expect(() => parseRoleMap(text)).toThrow(why);
  });
});
