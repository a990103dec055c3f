import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What one server took, in MB of 1e6 bytes. */
export interface Memory {
  readonly server: string;
  /** Most of the server's process at any time, threads included (VmHWM). */
  readonly peak: number;
  /** Its embedded PostgreSQL when it was stopped: shared pages count once (PSS). 0 without one. */
  readonly postgres: number;
}

const noted: Memory[] = [];

/** All servers stopped so far. */
export const notedMemory = (): readonly Memory[] => noted;

/** To be called while the process runs. Notes nothing where there is no /proc. */
export function noteMemory(pid: number, { name, dataDir }: { readonly name: string; readonly dataDir: string }): void {
  const peak = kilobytes(`/proc/${pid}/status`, 'VmHWM');
  if (peak === 0) return;
  const postmaster = Number(read(join(dataDir, 'postgres/data/postmaster.pid')).split('\n')[0]);
  const processes = postmaster > 0 ? [postmaster, ...childrenOf(postmaster)] : [];
  const postgres = processes.reduce((sum, id) => sum + kilobytes(`/proc/${id}/smaps_rollup`, 'Pss'), 0);
  noted.push({ server: name, peak: inMB(peak), postgres: inMB(postgres) });
}

const inMB = (kB: number): number => (kB * 1024) / 1e6;

/** Processes come and go while they are looked at. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

const kilobytes = (file: string, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(read(file))?.[1] ?? 0);

function childrenOf(parent: number): number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return all.filter((pid) => Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1]) === parent);
}
