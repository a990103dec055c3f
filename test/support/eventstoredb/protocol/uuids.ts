import { shared, type Shared } from './messages.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const hex = (bits: string): string => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0');

/** The text of a UUID in either of its two forms. @throws when it is none */
export function readUuid(uuid: Shared.UUID | undefined): string {
  const structured = uuid?.getStructured();
  const digits = structured
    ? hex(structured.getMostSignificantBits()) + hex(structured.getLeastSignificantBits())
    : undefined;
  const text = digits?.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') ?? uuid?.getString().toLowerCase() ?? '';
  if (!UUID.test(text))
    throw new Error('Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).');
  return text;
}

/** In the form that the reader asked for (`ReadReq.Options.UUIDOption`). */
export function writeUuid(id: string, structured: boolean): Shared.UUID {
  const uuid = new shared.UUID();
  if (!structured) return uuid.setString(id);
  const digits = id.replaceAll('-', '');
  const bits = (from: number): string => String(BigInt.asIntN(64, BigInt(`0x${digits.slice(from, from + 16)}`)));
  const value = new shared.UUID.Structured();
  value.setMostSignificantBits(bits(0));
  value.setLeastSignificantBits(bits(16));
  return uuid.setStructured(value);
}
