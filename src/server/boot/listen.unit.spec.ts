import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StartupError } from '../../kernel/errors.js';
import { refuseTakenPort } from './listen.js';

let holder: Server;
let port: number;

beforeEach(async () => {
  holder = createServer().listen(0);
  await once(holder, 'listening');
  const address = holder.address();
  port = address !== null && typeof address === 'object' ? address.port : 0;
});

afterEach(() => {
  holder.close();
});

describe('refuseTakenPort', () => {
  it('says in one line that the port is in use', async () => {
    await expect(refuseTakenPort(port)).rejects.toThrow(`Port ${port} is in use.`);
  });

  it('has the error of the system as its cause', async () => {
    const error: unknown = await refuseTakenPort(port).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(StartupError);
    expect(error).toMatchObject({ cause: { code: 'EADDRINUSE' } });
  });

  it('lets a free port pass', async () => {
    holder.close();
    await once(holder, 'close');
    await refuseTakenPort(port);
  });
});
