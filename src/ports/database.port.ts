/** The settings of a connection to a PostgreSQL database, embedded or external. */
export interface DatabaseSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly ssl: boolean | { readonly rejectUnauthorized: boolean };
}

export interface ListenerOptions {
  /** The name by which the database knows the connection. */
  readonly name: string;
  readonly onNotification: (channel: string, payload: string) => void;
  /** Called after each connection; `isFirst` is false if notifications may have been missed. */
  readonly onConnected: (isFirst: boolean) => void;
  /** Called when the connection was lost, with the error if there was one. */
  readonly onLost: (error: Error | null) => void;
}

/** A connection that hears of notifications. It comes back by itself after it was lost. */
export interface NotificationListener {
  /** Listens to one more channel, now and after each reconnect. */
  addChannel(channel: string): void;
  close(): Promise<void>;
}

/** A running PostgreSQL. */
export abstract class Database {
  abstract readonly settings: DatabaseSettings;
  /** Opens a connection of its own that listens to channels, and keeps it open. */
  abstract openListener(options: ListenerOptions): NotificationListener;
  /** Stops it when it is ours. */
  abstract stop(): Promise<void>;
}
