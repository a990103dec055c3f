import { Refusal } from '../../../kernel/errors.js';
import { findFilenameFault } from '../../../kernel/input-text.js';

/** Windows takes such a name, also with an extension, for a device. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)[ .]*(?:\.|$)/i;

/**
 * Returns the filename of an upload in Unicode normal form C. Names that endpoints with Windows cannot store are refused
 * as well. Packages of earlier versions may have them, so what peers send is not checked for this.
 * @throws Refusal INVALID_FILENAME with the reason
 */
export function normalizeUploadName(name: string): string {
  const normal = normalizeFilename(name);
  if (normal.endsWith('.'))
    throw new Refusal('INVALID_FILENAME', 'The filename must not end with a dot, which Windows leaves out.');
  if (DEVICE.test(normal))
    throw new Refusal(
      'INVALID_FILENAME',
      'The filename must not be the name of a device of Windows, such as CON or NUL.',
    );
  return normal;
}

/** Returns the filename in Unicode normal form C. @throws Refusal INVALID_FILENAME with the reason */
export function normalizeFilename(name: string): string {
  const normal = name.normalize('NFC');
  const why = findFilenameFault(normal);
  if (why) throw new Refusal('INVALID_FILENAME', `The filename ${why}.`);
  return normal;
}
