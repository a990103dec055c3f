import { startPackageApp } from '../support/package-app.js';
import { downloadContract } from './download.contract.js';

downloadContract(async () => {
  const app = await startPackageApp();
  return { app, url: app.url, stop: () => app.stop() };
});
