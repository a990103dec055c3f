/** The server can't start. The message is one line that says what to change; no stack trace helps here. */
export class StartupError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StartupError';
  }
}
