/**
 * An expected "no": the request was understood and is not carried out. `code` is stable, in capitals, and part of
 * the contract (GraphQL `extensions.code`, the `code` of an HTTP error body); `message` tells the user what to do.
 */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly details: Readonly<Record<string, string | number | boolean>> = {},
  ) {
    super(message);
    this.name = 'Refusal';
  }
}
