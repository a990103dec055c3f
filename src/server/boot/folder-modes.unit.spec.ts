import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { secureDataFolder } from './folder-modes.js';

const lines: string[] = [];
const logger = {
  log: (line: string) => void lines.push(line),
  warn: (line: string) => void lines.push(line),
  error: (line: string) => void lines.push(line),
};

let above: string;
let dataDir: string;
let umask: number;
beforeEach(() => {
  umask = process.umask(0);
  lines.length = 0;
  above = mkdtempSync(join(tmpdir(), 'odst-modes-'));
  dataDir = join(above, 'data');
});
afterEach(() => {
  process.umask(umask);
  rmSync(above, { recursive: true });
});

const modeOf = (...path: string[]): string => (statSync(join(dataDir, ...path)).mode & 0o7777).toString(8);
function make(path: string, mode: number): void {
  mkdirSync(join(dataDir, path), { recursive: true });
  chmodSync(join(dataDir, path), mode);
}
function makeFile(path: string, mode: number): void {
  writeFileSync(join(dataDir, path), 'x');
  chmodSync(join(dataDir, path), mode);
}

describe('a data folder', () => {
  it('is created for its owner and the group that may read, under a umask that permits everything', async () => {
    await secureDataFolder(dataDir, logger);
    expect(modeOf()).toBe('750');
    expect(lines).toEqual([]);
  });

  it('lets what is created in it follow', async () => {
    await secureDataFolder(dataDir, logger);
    mkdirSync(join(dataDir, 'packages'));
    writeFileSync(join(dataDir, 'packages', 'one'), '');
    expect([modeOf('packages'), modeOf('packages', 'one')]).toEqual(['750', '640']);
  });

  it('is repaired at each start, with its folders and secrets', async () => {
    for (const path of ['packages', 'staging', 'postgres', '.']) make(path, 0o777);
    for (const path of ['secret.key', 'secret.key.next']) makeFile(path, 0o644);
    await secureDataFolder(dataDir, logger);
    expect(['.', 'packages', 'staging', 'postgres'].map((path) => modeOf(path))).toEqual(['750', '750', '750', '750']);
    expect(['secret.key', 'secret.key.next'].map((path) => modeOf(path))).toEqual(['600', '600']);
    expect(lines).toHaveLength(6);
    lines.length = 0;
    await secureDataFolder(dataDir, logger);
    expect(lines).toEqual([]);
  });

  it('keeps a mode that is tighter, and the bit that hands the group down', async () => {
    make('packages', 0o700);
    make('staging', 0o2775);
    make('.', 0o710);
    await secureDataFolder(dataDir, logger);
    expect([modeOf(), modeOf('packages'), modeOf('staging')]).toEqual(['710', '700', '2750']);
  });

  it('keeps a umask that is tighter', async () => {
    process.umask(0o077);
    await secureDataFolder(dataDir, logger);
    mkdirSync(join(dataDir, 'staging'));
    expect([modeOf(), modeOf('staging')]).toEqual(['700', '700']);
  });

  it('that cannot be created is left to those who need it', async () => {
    writeFileSync(join(above, 'file'), '');
    await secureDataFolder(join(above, 'file', 'data'), logger);
    expect(lines).toEqual([]);
  });
});
