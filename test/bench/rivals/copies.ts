import { shell, timed } from '../machine.js';

/** A file is on disk to stay, and somebody has read it again to see that it is whole. */
export const durableAndChecked = (copy: string, folder: string): string =>
  `sync '${copy}' '${folder}'; openssl dgst -sha1 '${copy}'`;

/** The same for all files of a folder. */
export const allDurableAndChecked = (folder: string): string => `sync -f '${folder}'; openssl dgst -sha1 '${folder}'/*`;

/** Seconds of a shell command that makes a copy; `leave` makes room for the next. */
export async function timedCopy(command: string, leave: string): Promise<number> {
  const seconds = await timed(() => shell(command));
  await shell(leave);
  return seconds;
}
