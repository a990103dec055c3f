import { describe, expect, it } from 'vitest';
import { checkNewPassword } from './passwords.js';

const refused = expect.objectContaining({ code: 'PASSWORD_REFUSED' });

describe('a password', () => {
  it.each(['aaaaaaaaaaaa', 'correct horse battery', '🔑'.repeat(12), 'x'.repeat(200), '            '])(
    'may be %j',
    (password) => {
      expect(() => checkNewPassword(password, 'ann')).not.toThrow();
    },
  );

  it.each(['', 'elevenchars', '🔑'.repeat(11), 'x'.repeat(201)])('may not be %j', (password) => {
    expect(() => checkNewPassword(password, 'ann')).toThrow(refused);
  });

  it('is not the username, in whatever case', () => {
    expect(() => checkNewPassword('ANN.EXAMPLE.COM', 'ann.example.com')).toThrow(refused);
  });
});
