import { describe, expect, it } from 'vitest';
import { callTargets } from './request-parts.js';

describe('callTargets', () => {
  it('takes Host for what was meant, with or without a default port', () => {
    expect(callTargets('berlin.example', '/x?y', 'http://berlin.example')).toEqual(['http://berlin.example/x?y']);
    expect(callTargets('berlin.example:443', '/x', 'https://berlin.example')).toEqual([
      'http://berlin.example:443/x',
      'https://berlin.example:443/x',
    ]);
  });

  it('knows the public address behind a proxy that rewrites host and path', () => {
    expect(callTargets('10.0.0.1:8080', '/peer/v1/feed', 'https://berlin.example/ods')).toEqual([
      'http://10.0.0.1:8080/peer/v1/feed',
      'https://berlin.example/ods/peer/v1/feed',
    ]);
  });

  it('finds nothing in what is not a path', () => {
    expect(callTargets('berlin.example', 'http://berlin.example/x', 'http://berlin.example')).toEqual([]);
    expect(callTargets('not a host', '/x', 'http://berlin.example')).toEqual(['http://berlin.example/x']);
    expect(callTargets(undefined, '/x', 'http://berlin.example')).toEqual(['http://berlin.example/x']);
  });
});
