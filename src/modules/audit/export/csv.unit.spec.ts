import { assert, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvEnd, csvField, CSV_HEADER, csvRecord } from './csv.js';

/** RFC 4180, as a reader takes it apart. */
function parse(text: string): string[][] {
  const records: string[][] = [];
  const field = /"((?:[^"]|"")*)"(,|\r\n)/gy;
  let record: string[] = [];
  for (let match = field.exec(text); match; match = field.exec(text)) {
    record.push((match[1] ?? '').replaceAll('""', '"'));
    if (match[2] !== ',') records.push(record.splice(0));
  }
  return records;
}

describe('a field of CSV', () => {
  it.each(['=1+1', '+49', '-2', '@SUM(A1)', '\t=1', '\r=1'])(
    'that a spreadsheet would take for a formula is text: %j',
    (value) => {
      expect(csvField(value)).toBe(`"'${value}"`);
    },
  );

  it('is read as it was written, whatever is in it', () => {
    assert(
      property(string({ unit: 'binary' }), string(), (a, b) => {
        const plain = [a, b].map((value) => (/^[=+\-@\t\r]/.test(value) ? `'${value}` : value));
        expect(parse(csvRecord([a, b]))).toEqual([plain]);
      }),
    );
  });
});

it('the end is a record like the others, and says how many there were', () => {
  expect(csvEnd(3)).toHaveLength(CSV_HEADER.length);
  expect(csvEnd(3)).toContain('Complete: 3 entries');
});
