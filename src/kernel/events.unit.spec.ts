import { expect, it } from 'vitest';
import { type DomainEvent, EventFamily, type RecordedEvent } from './events.js';

type Moved = DomainEvent<'Moved', { readonly to: string; readonly by: string }>;

const family = new EventFamily<Moved>({
  Moved: {
    version: 3,
    upcasters: {
      1: (data) => ({ to: Object.values(data ?? {})[0] }),
      2: (data) => ({ ...Object(data), by: 'unknown' }),
    },
  },
});

const recorded = (type: string, schemaVersion: number, data: RecordedEvent['data']): RecordedEvent => ({
  id: 'id',
  type,
  data,
  stream: 'thing-1',
  revision: 0n,
  cursor: '1',
  recordedAt: new Date(0),
  metadata: {
    schemaVersion,
    serverId: 's',
    actor: { kind: 'system', id: 'x', name: 'x' },
    address: null,
    correlationId: 'c',
    causationId: null,
  },
});

it('brings old versions up to date, step by step', () => {
  expect(family.read(recorded('Moved', 1, { target: 'there' }))?.data).toEqual({ to: 'there', by: 'unknown' });
  expect(family.read(recorded('Moved', 2, { to: 'there' }))?.data).toEqual({ to: 'there', by: 'unknown' });
  expect(family.read(recorded('Moved', 3, { to: 'there', by: 'me' }))?.data).toEqual({ to: 'there', by: 'me' });
});

it('leaves events of other families alone', () => {
  expect(family.read(recorded('toString', 1, {}))).toBeNull();
});

it('refuses what a newer program wrote', () => {
  expect(() => family.read(recorded('Moved', 4, {}))).toThrow('newer program');
});
