import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A process of a test's own, to be killed without warning. */
export class Child {
  readonly lines: string[] = [];
  private readonly process: ChildProcess;
  private readonly exited: Promise<unknown>;

  /** Runs a TypeScript file; its standard error goes to ours. */
  constructor(file: URL, env: Record<string, string>) {
    const register = fileURLToPath(new URL('typescript/register.mjs', import.meta.url));
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    this.process = spawn(process.execPath, ['--import', register, fileURLToPath(file)], {
      env: { ...process.env, ...env },
      stdio: [...stdio],
    });
    this.exited = once(this.process, 'exit');
    if (this.process.stdout) createInterface(this.process.stdout).on('line', (line) => this.lines.push(line));
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** SIGKILL: it gets no chance to clean up. */
  async kill(): Promise<void> {
    if (this.isRunning) this.process.kill('SIGKILL');
    await this.exited;
  }
}
