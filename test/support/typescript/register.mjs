import { register } from 'node:module';

// `node --import …/register.mjs some.ts`: child processes of the tests run from source on every Node version.
register('./hooks.mjs', import.meta.url);
