/** Closes the session of a token. No result; not an error when there is none. */
export class SignOut {
  constructor(readonly token: string) {}
}
