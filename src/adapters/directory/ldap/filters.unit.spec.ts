import { assert, constantFrom, oneof, pre, property, string, uint8Array } from 'fast-check';
import { BerReader, BerWriter, EqualityFilter, OrFilter, type Filter } from 'ldapts';
import { describe, expect, it } from 'vitest';
import {
  checkGroupFilter,
  checkSearchFilter,
  fillFilter,
  matchAnybody,
  parseFilter,
  usernameAttributes,
} from './filters.js';
import { idFilter, idOf } from './person-entry.js';

const sent = (filter: Filter): Buffer => {
  const writer = new BerWriter();
  filter.write(writer);
  return writer.buffer;
};

/** Type, attribute and value of an equality filter, read from what is sent. */
function readBack(bytes: Buffer): { attribute: string; value: Buffer; rest: number } {
  const reader = new BerReader(bytes);
  expect(reader.readSequence(0xa3)).toBe(0xa3);
  const attribute = reader.readString() ?? '';
  const value = reader.readString(4, true) ?? Buffer.alloc(0);
  return { attribute, value, rest: reader.remain };
}

const anything = oneof(
  string({ unit: 'binary', maxLength: 100 }),
  string({
    unit: constantFrom('*', '(', ')', '\\', '\0', '|', '&', '!', '=', '{', '}', '$', "'", '`', 'a', '2', '8'),
    maxLength: 30,
  }),
  constantFrom('{{username}}', '{{dn}}', '$&', "$'", '$`', '\\2a', '*)(uid=*', ')(&)', 'a)(|(uid=*))'),
);

describe('a filter with a name in it', () => {
  it('compares one attribute with exactly that name, whatever it is', () => {
    const template = parseFilter('(uid={{username}})');
    assert(
      property(anything, (username) => {
        const { attribute, value, rest } = readBack(sent(fillFilter(template, { username, dn: '' })));
        expect([attribute, value.equals(Buffer.from(username)), rest]).toEqual(['uid', true, 0]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps its shape whatever the names are', () => {
    const template = parseFilter('(&(objectClass=person)(|(uid={{username}})(mail={{username}}))(!(member={{dn}})))');
    const shape = (filter: Filter): string => sent(filter).toString('latin1').length.toString();
    assert(
      property(anything, anything, (username, dn) => {
        const grown = 2 * Buffer.byteLength(username) + Buffer.byteLength(dn);
        pre(grown < 60);
        const [empty, full] = [fillFilter(template, { username: '', dn: '' }), fillFilter(template, { username, dn })]
          .map(shape)
          .map(Number);
        expect((full ?? 0) - (empty ?? 0)).toBe(grown);
      }),
      { numRuns: 1_000 },
    );
  });

  it('may have letters of all scripts, escaped or not', () => {
    for (const written of ['(ou=Zoë)', '(ou=Zo\\c3\\ab)', '(ou=Zo\\C3\\AB)'])
      expect(readBack(sent(parseFilter(written))).value.toString()).toBe('Zoë');
  });
});

describe('a filter for anybody', () => {
  it('asks for the presence of what is compared with the name', () => {
    expect(matchAnybody(parseFilter('(&(objectClass=person)(uid={{username}}))')).toString()).toBe(
      '(&(objectClass=person)(uid=*))',
    );
  });
});

describe('filters in the settings', () => {
  it('name the account by what is compared first', () => {
    expect(usernameAttributes(parseFilter('(|(sAMAccountName={{username}})(mail={{username}}))'))).toEqual([
      'sAMAccountName',
      'mail',
    ]);
  });

  it.each([
    '',
    'uid={{username}',
    '(uid=*)',
    '(uid={{username}}*)',
    '(uid={{user}})',
    '((uid={{username}})',
    '(uid={{username}})(x=y)',
    '(uid={{dn}})',
    '(cn=x{{username}})',
  ])('refuses %j for people', (template) => expect(() => checkSearchFilter(template)).toThrow(/./));

  it.each([
    '(member={{dn}})',
    '(|(member={{dn}})(memberUid={{username}}))',
    '(member:1.2.840.113556.1.4.1941:={{dn}})',
  ])('takes %j for groups', (template) => {
    expect(() => checkGroupFilter(template)).not.toThrow();
  });

  it.each(['', '(member=*)', '(member={{dn}}', '(member={{dn}}*)'])('refuses %j for groups', (template) => {
    expect(() => checkGroupFilter(template)).toThrow(/./);
  });
});

describe('an id', () => {
  it('is found again by its bytes', () => {
    assert(
      property(uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const id = idOf({ dn: 'x', objectGUID: Buffer.from(bytes) }, null) ?? '';
        const { attribute, value } = readBack(sent(idFilter(id) ?? new OrFilter({ filters: [] })));
        expect([attribute, value.equals(Buffer.from(bytes))]).toEqual(['objectGUID', true]);
      }),
    );
    expect(idFilter('entryUUID=6f0f-1')).toEqual(new EqualityFilter({ attribute: 'entryUUID', value: '6f0f-1' }));
    for (const none of ['', 'nonsense', '=x', '(uid=*)=x']) expect(idFilter(none)).toBeNull();
  });
});
