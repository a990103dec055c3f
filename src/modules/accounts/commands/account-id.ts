import { v5 } from 'uuid';
import { usernameKey } from '../domain/username.js';

/** Namespace of the ids of accounts: one name, one stream. Never changes. */
const ACCOUNT_NAMESPACE = '0f0cf1c5-4c2b-4f9c-9a51-6a9f3b7f2d10';

/** Id of the account of this name, whether there is one or not: names that mean the same give the same. */
export const accountIdOf = (username: string): string => v5(usernameKey(username), ACCOUNT_NAMESPACE);
