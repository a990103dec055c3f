/** A PostgreSQL database, ours or an outside one. */
export interface DatabaseSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly ssl: boolean | { readonly rejectUnauthorized: boolean };
}

/** A running PostgreSQL. */
export abstract class Database {
  abstract readonly settings: DatabaseSettings;
  /** Stops it when it is ours. */
  abstract stop(): Promise<void>;
}
