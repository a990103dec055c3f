/** How a PostgreSQL database is reached, the embedded one or an external one. */
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
  /** Stops the database when it is the embedded one. */
  abstract stop(): Promise<void>;
}
