/**
 * Base of the commands and queries in `contracts/`, which other modules send. `Result` is what the handler resolves with:
 * the command bus and the query bus infer it, because the platform declares that a message is a command and a query of the
 * CQRS library. The kernel itself imports no library.
 */
export abstract class Message<Result> {
  /** Exists for the compiler only. */
  declare protected readonly result?: Result;
}
