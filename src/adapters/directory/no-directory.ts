import { Directory, type DirectoryPerson, type DirectoryVerdict } from '../../ports/directory.port.js';

/** Stands for the directory of a server that has none: it knows nobody. */
export class NoDirectory extends Directory {
  override readonly url = null;

  override authenticate(): Promise<DirectoryVerdict> {
    return Promise.resolve({ refused: 'There is no directory.' });
  }

  override imitateAuthentication(): Promise<void> {
    return Promise.resolve();
  }

  override findPerson(): Promise<DirectoryPerson | null> {
    return Promise.resolve(null);
  }

  override findPeople(): Promise<readonly DirectoryPerson[]> {
    return Promise.resolve([]);
  }

  override checkAccess(): Promise<void> {
    return Promise.resolve();
  }
}
