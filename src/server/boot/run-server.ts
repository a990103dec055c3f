import type { LoggerService } from '@nestjs/common';
import { nameOf, parseProxy } from '../../adapters/peer-transport/http/proxies.js';
import { StartupError } from '../../kernel/errors.js';
import { ServedKeyPair } from '../../platform/http/served-key-pair.js';
import { loadKeyPair } from '../../platform/http/tls-key-pair.js';
import { MIN_OPEN_FILES, readOpenFileLimit } from '../../platform/runtime/host-resources.js';
import { PinoLogger } from '../../platform/runtime/pino-logger.js';
import type { Settings } from '../../platform/runtime/settings.js';
import { plainTextWarning } from '../config/directory-settings.js';
import { loadSettings } from '../config/load-settings.js';
import { secureDataFolder } from './folder-modes.js';
import { refuseTakenPort, warnAboutAddress } from './listen.js';
import { Shutdown } from './shutdown.js';

/** Loads the key pair for HTTPS; null for plain HTTP. @throws StartupError */
function loadServedKeyPair({ tls, url }: Settings, logger: LoggerService): ServedKeyPair | null {
  return tls && new ServedKeyPair(tls, loadKeyPair(tls), { logger, ownUrl: url });
}

/** Proxies are often set for all programs of a machine, so that somebody may look for them here in vain. */
function nameProxies({ httpsProxy, httpProxy, noProxy }: Settings, logger: LoggerService): void {
  for (const [scheme, address] of Object.entries({ https: httpsProxy, http: httpProxy })) {
    const proxy = address === null ? null : parseProxy(address);
    if (!proxy) continue;
    const except = noProxy.length === 0 ? '' : `, except those of NO_PROXY (${noProxy.join(', ')})`;
    logger.log(
      `Peers with an ${scheme}:// address are called through the proxy ${nameOf(proxy)} (${scheme.toUpperCase()}_PROXY)${except}.`,
      'Server',
    );
  }
}

async function warnAboutOpenFiles(logger: LoggerService): Promise<void> {
  const limit = await readOpenFileLimit();
  if (limit === null || limit >= MIN_OPEN_FILES) return;
  logger.warn(
    `This process may open only ${limit} files and connections, and each download needs two. Raise the limit to ${MIN_OPEN_FILES} or more (LimitNOFILE of systemd, ulimit -n).`,
    'Server',
  );
}

const HELP = `Starts one server, until SIGTERM or Ctrl-C ends it. It takes no arguments: its settings are environment variables, such
as PORT (8080), ODST_DATA_DIR (./data) and ODST_URL. docs/reference/configuration.md has all of them.
`;

/** The server takes no arguments, so whoever gives some expects something else than a server that starts. */
function answerArguments(args: readonly string[]): void {
  if (args.length === 0) return;
  const asksForHelp = args.includes('--help') || args.includes('-h');
  if (asksForHelp) process.stdout.write(HELP);
  else process.stderr.write(`The argument ${args[0]} is unknown.\n${HELP}`);
  process.exit(asksForHelp ? 0 : 2);
}

/**
 * Runs the server until a signal ends it. Everything that can be checked without the server is checked before its modules
 * are loaded, which takes most of the time of a start. So nothing here may import them. A start that fails says so in one line and sets exit code 1. With arguments, it
 * only explains itself.
 */
export async function runServer(
  env: Readonly<Record<string, string | undefined>>,
  args: readonly string[],
): Promise<void> {
  answerArguments(args);
  let shutdown: Shutdown | null = null;
  try {
    const settings = loadSettings(env);
    const logger = new PinoLogger(settings.logLevel);
    const tls = loadServedKeyPair(settings, logger);
    warnAboutAddress(settings, logger);
    nameProxies(settings, logger);
    const warning = plainTextWarning(settings.directory);
    if (warning !== null) logger.warn(warning, 'Directory');
    await warnAboutOpenFiles(logger);
    await refuseTakenPort(settings.port);
    await secureDataFolder(settings.dataDir, logger);
    shutdown = makeShutdown(settings, logger);
    const { startServer } = await import('./start-server.js');
    await startServer({ settings, tls, logger, shutdown });
  } catch (error) {
    // An error that is caused by stopping is not reported.
    if (shutdown?.hasBegun) return;
    process.stderr.write(`${describeFailure(error)}\n`);
    await shutdown?.undoStart();
    process.exit(1);
  }
}

/** With HTTPS, SIGHUP loads the certificate again. */
const makeShutdown = ({ stopGraceMs: graceMs, tls }: Settings, logger: LoggerService): Shutdown =>
  new Shutdown(logger, { graceMs, stopsOnHangUp: tls === null });

function describeFailure(error: unknown): string {
  if (error instanceof StartupError) return error.message;
  // What a file system refuses is no fault of the program.
  const { path, code, syscall }: NodeJS.ErrnoException = error instanceof Error ? error : new Error();
  if (path === undefined || code === undefined || syscall === undefined) return describeUnexpected(error);
  return `${path} cannot be used (${code} at ${syscall}). Correct the path, its owner and its rights.`;
}

/** Describes an unexpected error with its stack, which is needed for a bug report. */
const describeUnexpected = (error: unknown): string =>
  `The server cannot start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
