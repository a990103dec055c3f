/** Command: forget private keys of this server that no peer knows it by any more. */
export class RetireKeys {}
