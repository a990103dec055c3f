import { ServerSettingsEntity } from './settings/server-settings.entity.js';

export const serverEntities = [ServerSettingsEntity];
