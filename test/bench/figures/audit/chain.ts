import type { DataSource } from 'typeorm';
import { connectReadSchema } from '../../../../src/server/boot/data-source.js';
import { allProjections } from '../../../../src/server/boot/read-models.js';
import { AuditChain } from '../../../../src/modules/audit/chain/audit-chain.js';
import { ChainSigner } from '../../../../src/modules/audit/chain/chain-signer.js';
import { readPlace } from '../../../../src/modules/audit/chain/chain-table.js';
import { LogVerification } from '../../../../src/modules/audit/verify/log-verification.js';
import { newId } from '../../../../src/platform/runtime/ids.js';
import { generateOwnKey, signerOf } from '../../../../src/platform/secrets/key-ring.js';
import type { EventStore } from '../../../../src/ports/event-store.port.js';
import { runTask } from '../../../support/background-task.js';
import type { Figure } from '../../figure.js';
import { metadata, stageChange, withScratchLog } from '../../scratch-log.js';

const STREAMS = 2_000;
const EVENTS_A_STREAM = 50;
const EVENTS = STREAMS * EVENTS_A_STREAM;

async function fill(store: EventStore): Promise<void> {
  const one = (packageId: string) =>
    store.append(
      `package-${packageId}`,
      Array.from({ length: EVENTS_A_STREAM }, () => stageChange(packageId)),
      'none',
    );
  await Promise.all(Array.from({ length: STREAMS }, () => one(newId())));
}

async function readAll(store: EventStore): Promise<void> {
  const stop = new AbortController();
  for await (const item of store.subscribe({ after: null, signal: stop.signal })) if (item.kind === 'caughtUp') break;
  stop.abort();
}

async function makeChain(
  store: EventStore,
  dataSource: DataSource,
  publicKey: string,
  sign: (bytes: Uint8Array) => Uint8Array,
): Promise<void> {
  const signer = new ChainSigner(dataSource, { serverId: metadata.serverId, publicKey, sign });
  const chain = runTask(new AuditChain(store, dataSource, signer));
  while ((await readPlace(dataSource))?.number !== EVENTS) await new Promise((resolve) => setTimeout(resolve, 20));
  await chain.stop();
}

const secondsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
};

/** Linking and verifying a log, against merely reading it. */
export const auditChain: Figure = (context) =>
  withScratchLog(context.folder, async (store, database) => {
    allProjections();
    const dataSource = await connectReadSchema(database, 'read');
    try {
      await fill(store);
      const key = generateOwnKey(metadata.serverId);
      const reading = await secondsOf(() => readAll(store));
      const linking = await secondsOf(() => makeChain(store, dataSource, key.publicKey, signerOf(key)));
      const verifying = await secondsOf(() =>
        new LogVerification({ store, dataSource }, { anchors: new Set([key.publicKey]) }).run(),
      );
      const rate = (seconds: number) => `${(EVENTS / seconds).toFixed(0)} events/s`;
      const rival = `reading ${rate(reading)}`;
      return [
        {
          what: 'audit chain made / just reading the log',
          ours: rate(linking),
          rival,
          value: linking / reading,
          mark: { atMost: 30 },
        },
        {
          what: 'audit chain verified / just reading the log',
          ours: rate(verifying),
          rival,
          value: verifying / reading,
          mark: { atMost: 30 },
        },
      ];
    } finally {
      await dataSource.destroy();
    }
  });
