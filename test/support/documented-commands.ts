import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A block of commands in the documentation, as it stands there. */
export interface CommandBlock {
  readonly document: string;
  readonly language: string;
  readonly commands: string;
}

const DOCUMENTS = [
  'README.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file).replaceAll('\\', '/')),
].toSorted();

/** All blocks in these languages, in the order of their documents. */
export const commandBlocks = (...languages: readonly string[]): readonly CommandBlock[] =>
  DOCUMENTS.flatMap((document) =>
    [...readFileSync(document, 'utf8').matchAll(/^```(\w+)\n([^]*?)^```/gm)]
      .map(([, language = '', commands = '']) => ({ document, language, commands }))
      .filter(({ language }) => languages.includes(language)),
  );

/** Commands that stand in a sentence, with the address that they call: one that only names an option is none. */
const IN_A_SENTENCE = /`(curl [^`]*(?:https:\/\/|\$)[^`]*)`/g;

/** All commands in sentences that call a server. */
export const commandsInSentences = (): readonly CommandBlock[] =>
  DOCUMENTS.flatMap((document) =>
    [
      ...readFileSync(document, 'utf8')
        .replaceAll(/^```[^]*?^```/gm, '')
        .matchAll(IN_A_SENTENCE),
    ].map(([, commands = '']) => ({ document, language: 'sh', commands })),
  );

/** The scripts of package.json that the documentation names. */
export const namedScripts = (): readonly string[] =>
  [...DOCUMENTS, 'CONTRIBUTING.md'].flatMap((document) =>
    [...readFileSync(document, 'utf8').matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name),
  );

/** The only block of shell commands in a document that contains a text. @throws Error when there are none or several */
export function commandsIn(document: string, text: string): string {
  const [found, ...more] = commandBlocks('sh').filter(
    (block) => block.document === document && block.commands.includes(text),
  );
  if (found === undefined || more.length > 0) throw new Error(`${document} has not exactly one block with ${text}`);
  return found.commands;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  /** What was written to either stream. */
  readonly output: string;
}

/** Runs commands in a shell that knows nothing of the environment of the tests, in the given folder. */
export const runShell = (commands: string, env: Readonly<Record<string, string>>, cwd?: string): Promise<Outcome> =>
  new Promise((resolve) => {
    const options = { env: { PATH: process.env['PATH'] ?? '', ...env }, cwd, maxBuffer: 64 * 1024 * 1024 };
    execFile('bash', ['-c', commands], options, (error, stdout, stderr) =>
      resolve({
        code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1,
        stdout,
        output: `${stdout}${stderr}`,
      }),
    );
  });
