import { Nginx } from '../support/nginx/nginx.js';
import { describeWithNginx } from '../support/nginx/with-nginx.js';
import { startPackageApp } from '../support/package-app.js';
import { downloadContract } from './download.contract.js';

describeWithNginx('through nginx', () => {
  downloadContract(async () => {
    const app = await startPackageApp({ accelRedirect: '/_odst/packages/' }, { trustedProxies: ['loopback'] });
    const nginx = await Nginx.start({ ports: [app.port], dataDir: app.dataDir });
    const stop = async (): Promise<void> => {
      await nginx.stop();
      await app.stop();
    };
    return { app, url: nginx.url, stop };
  });
});
