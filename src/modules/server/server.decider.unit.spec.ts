import { describe, expect, it } from 'vitest';
import { server, type ServerCommand } from './server.decider.js';

const initialised = {
  serverId: '0190f5fe-7c00-7a00-8000-000000000001',
  name: 'Berlin',
  url: 'https://berlin.example',
  stage: 'Prod' as const,
  publicKey: 'k'.repeat(43),
};
const known = { ...initialised, reachable: true };
const changeTo = (to: Extract<ServerCommand, { type: 'change' }>['to']): ServerCommand => ({ type: 'change', to });

describe('server', () => {
  it('is initialised once', () => {
    const events = server.decide({ type: 'initialise', as: initialised }, null);
    expect(events).toEqual([{ type: 'ServerInitialised', data: initialised }]);
    expect(server.decide({ type: 'initialise', as: { ...initialised, name: 'other' } }, known)).toEqual([]);
  });

  it('changes what is named and keeps the rest', () => {
    const [event] = server.decide(changeTo({ stage: 'Dev' }), known);
    expect(event).toEqual({
      type: 'ServerSettingsChanged',
      data: { name: 'Berlin', url: 'https://berlin.example', stage: 'Dev', reachable: true },
    });
    expect(event && server.evolve(known, event)).toEqual({ ...known, stage: 'Dev' });
  });

  it('can be called until it is told otherwise', () => {
    const [first] = server.decide({ type: 'initialise', as: initialised }, null);
    expect(first && server.evolve(null, first)).toEqual(known);
    expect(server.decide(changeTo({ reachable: false }), known)).toMatchObject([
      { data: { name: 'Berlin', reachable: false } },
    ]);
  });

  it('records nothing when nothing differs', () => {
    expect(server.decide(changeTo({ name: 'Berlin', stage: 'Prod', reachable: true }), known)).toEqual([]);
  });

  it.each([
    ['an empty name', { name: '  ' }],
    ['a long name', { name: 'x'.repeat(101) }],
    ['another scheme', { url: 'ftp://berlin.example' }],
    ['credentials', { url: 'https://me:secret@berlin.example' }],
    ['a query', { url: 'https://berlin.example?x=1' }],
    ['a slash at the end', { url: 'https://berlin.example/' }],
    ['a way up', { url: 'https://berlin.example/a/../b' }],
    ['a space', { url: 'https://berlin example' }],
  ])('refuses %s', (_, to) => {
    expect(() => server.decide(changeTo(to), known)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
    const as = { ...initialised, ...to };
    expect(() => server.decide({ type: 'initialise', as }, null)).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST' }),
    );
  });

  it('keeps a path and a port', () => {
    expect(server.decide(changeTo({ url: 'http://10.0.0.5:8080/packages' }), known)).toHaveLength(1);
  });
});
