import { join } from 'node:path';
import { BenchServer } from '../bench-server.js';
import { inSeconds, inTurn, type Figure } from '../figure.js';
import { makeFile, shell, timed } from '../machine.js';

/** A large upload against a copy with the same durability and the same digests of the whole file. */
export const upload: Figure = async (context) => {
  const { folder, size } = context;
  const file = join(folder, 'upload-source');
  const copy = join(folder, 'upload-copy');
  await makeFile(file, size);
  const server = await BenchServer.start(folder, 'uploads');
  try {
    const { ours, rival } = await inTurn(context, {
      ours: async () => {
        let id = '';
        const seconds = await timed(async () => (id = await server.upload(file, 'bench.pkg')));
        await server.remove(id);
        return seconds;
      },
      rival: async () => {
        const seconds = await timed(() =>
          shell(
            `cp '${file}' '${copy}'; sync '${copy}' '${folder}'; openssl dgst -sha1 '${copy}'; openssl dgst -sha256 '${copy}'`,
          ),
        );
        await shell(`rm '${copy}'`);
        return seconds;
      },
    });
    return [
      {
        what: 'upload / cp + fsync + openssl sha1, sha256',
        ours: inSeconds(ours),
        rival: `cp … ${inSeconds(rival)}`,
        value: ours / rival,
        mark: { atMost: 1.3 },
      },
    ];
  } finally {
    await server.stop();
    await shell(`rm -f '${file}'`);
  }
};
