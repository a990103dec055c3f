import { resolve } from 'node:path';
import { StartupError } from '../../../kernel/startup-error.js';

export type Flag = '--from' | '--to';

/** Where a log is. `label` is for people and carries no password. */
export type LogLocation = { readonly flag: Flag; readonly label: string } & (
  | { readonly engine: 'postgres' | 'eventstoredb'; readonly url: string }
  | { readonly engine: 'embedded'; readonly folder: string }
);

/** @param dataDir the folder that `embedded` stands for. @throws StartupError */
export function parseLocation(flag: Flag, text: string, dataDir: string): LogLocation {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    const folder = resolve(text === 'embedded' ? dataDir : text);
    return { flag, engine: 'embedded', folder, label: folder };
  }
  const label = withoutCredentials(text);
  if (scheme === 'postgres' || scheme === 'postgresql') return { flag, engine: 'postgres', url: text, label };
  if (scheme === 'esdb' || scheme === 'esdb+discover') return { flag, engine: 'eventstoredb', url: text, label };
  throw new StartupError(
    `${flag}: ${scheme}:// is not known. Use postgres://, esdb://, esdb+discover:// or a data folder.`,
  );
}

/** Parameters may carry secrets, too. */
const withoutCredentials = (url: string): string => url.replace(/\/\/.*@/, '//').replace(/\?.*$/, '');
