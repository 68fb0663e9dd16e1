import { spawn, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** A fenced block of a Markdown page. */
export interface Block {
  /** The word after the fence, such as `sh`. */
  readonly language: string;
  readonly text: string;
}

/** Returns the fenced blocks of a page that have a language. @param page path in the repository. */
export async function blocksOf(page: string): Promise<Block[]> {
  const markdown = await readFile(join(ROOT, page), 'utf8');
  const fences = markdown.matchAll(/^( *)```(\w+)\n([\s\S]*?)^\1```$/gm);
  return [...fences].map(([, indentation = '', language = '', text = '']) => ({
    language,
    text: text.replaceAll(new RegExp(`^${indentation}`, 'gm'), '').trim(),
  }));
}

/** Returns whether a program runs on this machine. */
export function isInstalled(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/**
 * Runs the `sh` blocks of a page in order, in one shell that ends at the first command that fails.
 * @param replacements texts that differ from the page on the machine of a test, such as a port.
 * @returns what the commands print.
 * @throws Error with the output of all commands if one fails.
 */
export async function runPage(
  page: string,
  folder: string,
  { replacements = {}, prelude = '' }: { replacements?: Readonly<Record<string, string>>; prelude?: string },
): Promise<string> {
  let script = (await blocksOf(page))
    .filter(({ language }) => language === 'sh')
    .map(({ text }) => text)
    .join('\n');
  for (const [text, replacement] of Object.entries(replacements)) {
    if (!script.includes(text)) throw new Error(`${page} has no command with ${text}`);
    script = script.replaceAll(text, replacement);
  }
  const { promise, resolve } = Promise.withResolvers<{ code: number | null; output: string }>();
  const child = spawn('bash', ['-euxo', 'pipefail', '-c', `exec 2>&1\n${prelude}\n${script}`], {
    cwd: folder,
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.on('close', (code) => resolve({ code, output }));
  const ended = await promise;
  if (ended.code !== 0) throw new Error(`a command of ${page} failed:\n${ended.output}`);
  return ended.output;
}
