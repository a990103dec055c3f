/** A secret as it could be written somewhere: as it is, in hex, in base64 and in base64url. */
export function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const forms = [
    secret,
    bytes.toString('hex'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ];
  const raw = /^[0-9a-f]{64}$/i.test(secret) ? Buffer.from(secret, 'hex') : Buffer.from(secret, 'base64url');
  // What is encoded already, decoded: as a database shows bytes.
  if (raw.length >= 16)
    forms.push(raw.toString('hex'), raw.toString('base64').replace(/=+$/, ''), raw.toString('base64url'));
  return [...new Set(forms)];
}
