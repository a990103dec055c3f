import { AccountEntity } from './accounts/account.entity.js';
import { ApiTokenEntity } from './accounts/api-token.entity.js';

export const accountEntities = [AccountEntity, ApiTokenEntity];
