import { EventEmitter } from 'node:events';
import { Server, Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ConnectionSpace } from './connection-space.js';

let warn: ReturnType<typeof vi.spyOn>;
beforeEach(() => (warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined)));
afterEach(() => void vi.restoreAllMocks());

it('refuses the requests on connections beyond the maximum, until others have ended', () => {
  const server = new Server();
  const space = new ConnectionSpace(2);
  space.watch(server, 'connection');
  const accept = (): Socket => {
    const socket = new Socket();
    server.emit('connection', socket);
    return socket;
  };
  const isRefused = (socket: Socket, url = '/Packages/x'): boolean => space.findRefusal({ socket, url }) !== null;
  const [first, second, third] = [accept(), accept(), accept()];
  expect([first, second, third].map((socket) => isRefused(socket))).toEqual([false, false, true]);
  expect(space.findRefusal({ socket: third, url: '/' })).toMatchObject({
    status: 503,
    code: 'UNAVAILABLE',
    message: expect.stringContaining('LimitNOFILE'),
    details: { retryAfterSeconds: 5 },
  });
  expect(isRefused(third, '/health/ready')).toBe(false);
  expect(warn.mock.calls).toEqual([[expect.stringContaining('too many files and connections')]]);
  for (const socket of [second, third]) EventEmitter.prototype.emit.call(socket, 'close');
  expect(isRefused(accept())).toBe(false);
});
