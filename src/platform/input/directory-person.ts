import { cleanText, findTextFault } from '../../kernel/input-text.js';
import type { DirectoryPerson } from '../../ports/directory.port.js';

const MAX_ID_LENGTH = 300;
const MAX_DN_LENGTH = 1_000;
const MAX_NAME_LENGTH = 200;

/**
 * A person as a directory describes them, with texts that can be stored. The distinguished name and the names are only
 * shown, and the person cannot change them, so they are cleaned; a username with such characters is no name of an account,
 * which the sign-in says. Groups with such names give no role, and are left out. Null when the id, by which the account is
 * linked, has such characters: then the person cannot be told from others.
 */
export function readPerson(person: DirectoryPerson): DirectoryPerson | null {
  if (findTextFault(person.id, { min: 1, max: MAX_ID_LENGTH, anyForm: true }) !== null) return null;
  return {
    ...person,
    dn: cleanText(person.dn, MAX_DN_LENGTH),
    username: cleanText(person.username, MAX_NAME_LENGTH),
    displayName: person.displayName === null ? null : cleanText(person.displayName, MAX_NAME_LENGTH),
    groups: person.groups.filter((dn) => findTextFault(dn, { max: MAX_DN_LENGTH, anyForm: true }) === null),
  };
}
