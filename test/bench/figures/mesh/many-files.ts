import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FactTrust } from '../../../../src/modules/packages/facts/fact-trust.js';
import { judgePeerFacts } from '../../../../src/modules/packages/facts/judge-peer-facts.js';
import { loadSettings } from '../../../../src/server/config/load-settings.js';
import { NoSignerKeys } from '../../../support/no-signer-keys.js';
import { factsOf, SigningServer } from '../../../support/signing-server.js';
import { startBenchPair, stopAll, type BenchServer } from '../../bench-server.js';
import { inSeconds, inTurn, type BenchContext, type Figure, type Result, type Skipped } from '../../figure.js';
import { have, makeFile, median, shell, timed, warm } from '../../machine.js';
import { allDurableAndChecked, timedCopy } from '../../rivals/copies.js';
import { startNginx } from '../../rivals/nginx.js';
import { SyncthingPair } from '../../rivals/syncthing.js';

const FILES = 200;
const SIZE = 5 * 1024 * 1024;

interface Scene extends BenchContext {
  readonly a: BenchServer;
  readonly b: BenchServer;
  /** Folder of the files, and their names in it. */
  readonly source: string;
  readonly names: readonly string[];
}

/**
 * From "B may follow A again" to "B serves the last one". The packages lie ready on A, hashed, as nginx's files lie
 * ready for rclone; uploading meanwhile would measure the uploads.
 */
const ours =
  ({ a, b, source, names, folder }: Scene) =>
  async (): Promise<number> => {
    await b.setPeer('suspendPeer', a);
    const ids = await a.uploadAll(source, names);
    await warm(folder);
    const seconds = await timed(async () => {
      await b.setPeer('resumePeer', a);
      for (const name of names) await b.waitUntilServed(name);
    });
    for (const id of ids) await a.remove(id);
    for (const name of names) await b.waitUntilGone(name);
    return seconds;
  };

async function againstRclone(scene: Scene): Promise<Result | Skipped> {
  const what = `${FILES} files of 5 MiB / rclone + fsync + openssl sha1`;
  const missing = ['rclone', 'nginx'].find((program) => !have(program));
  if (missing) return { what, skipped: `${missing} is not installed` };
  const nginx = await startNginx(scene.folder, scene.source);
  const copies = join(scene.folder, 'many-copies');
  const rclone = `rclone --config '' copy --transfers 4 --http-url '${nginx.url}' :http: '${copies}'`;
  try {
    const times = await inTurn(scene, {
      ours: ours(scene),
      rival: () => timedCopy(`${rclone}; ${allDurableAndChecked(copies)}`, `rm -rf '${copies}'`),
    });
    const rival = `rclone from nginx … ${inSeconds(times.rival)}`;
    return { what, ours: inSeconds(times.ours), rival, value: times.ours / times.rival, mark: { atMost: 1.3 } };
  } finally {
    nginx.stop();
  }
}

/** After its scan is a lower bound: the other side begins while it scans. */
async function againstSyncthing(scene: Scene): Promise<Result | Skipped> {
  const what = `${FILES} files of 5 MiB: Syncthing / ours`;
  if (!have('syncthing')) return { what, skipped: 'syncthing is not installed' };
  const pair = await SyncthingPair.start(scene.folder);
  const files = scene.names.map((name) => join(scene.source, name));
  const afterScan: number[] = [];
  try {
    const times = await inTurn(scene, {
      ours: ours(scene),
      rival: async () => {
        const sync = await pair.sync(files, scene.folder);
        afterScan.push(sync.afterScan);
        return sync.withScan;
      },
    });
    const rival = `Syncthing ${inSeconds(times.rival)} with its scan, ${inSeconds(median(afterScan))} after it`;
    return { what, ours: inSeconds(times.ours), rival, value: times.rival / times.ours, mark: { atLeast: 2 } };
  } finally {
    await pair.stop();
  }
}

/** Knows the key of whoever signed, so that only the signatures are checked. */
class EveryKey extends NoSignerKeys {
  override statusOf(): 'known' {
    return 'known';
  }
}

/** Signs each publication as its server does, and judges it as a receiver does. Nothing that was checked is remembered. */
function signAndJudge(): number {
  const [signer, receiver] = [new SigningServer(randomUUID()), new SigningServer(randomUUID())];
  const trust = new FactTrust(new EveryKey(), receiver, loadSettings({ ODST_ACCEPT_UNSIGNED: 'false' }));
  const contents = Array.from({ length: FILES }, () => randomBytes(64));
  const began = performance.now();
  for (const [i, content] of contents.entries()) {
    const facts = factsOf(`many-${i}.pkg`, content, signer);
    const told = { facts, proofs: [signer.facts.signPublication(facts)], authors: { stage: null, removal: null } };
    if (judgePeerFacts(null, told, trust).refused.length > 0) throw new Error('A signature was not accepted');
  }
  return (performance.now() - began) / 1000;
}

/** The time that signatures take on both servers together, as a part of the time that the packages take. */
async function shareOfSignatures(scene: Scene): Promise<Result> {
  const times = await inTurn(scene, { signatures: async () => signAndJudge(), ours: ours(scene) });
  return {
    what: `signatures of ${FILES} packages / replicating them`,
    ours: `${(times.signatures * 1000).toFixed(0)} ms`,
    rival: inSeconds(times.ours),
    value: times.signatures / times.ours,
    mark: { atMost: 0.03 },
  };
}

/** Many packages of a few chunks, where the work beside the bytes counts. */
export const manyFiles: Figure = async (context) => {
  const source = join(context.folder, 'many');
  mkdirSync(source);
  const whole = join(context.folder, 'many-whole');
  await makeFile(whole, FILES * SIZE);
  await shell(`split -b ${SIZE} -a 3 -d --additional-suffix=.pkg '${whole}' '${source}/many-'; rm '${whole}'`);
  const names = Array.from({ length: FILES }, (_, i) => `many-${String(i).padStart(3, '0')}.pkg`);
  const [a, b] = await startBenchPair(context.folder);
  const scene = { ...context, a, b, source, names };
  try {
    return [await shareOfSignatures(scene), await againstRclone(scene), await againstSyncthing(scene)];
  } finally {
    await stopAll([a, b]);
    await shell(`rm -rf '${source}'`);
  }
};
