import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../../util/replace-file.ts';
import { CliError, EXIT, usageError } from '../terminal/cli-error.ts';
import { printWarning } from '../terminal/output.ts';

/** Where a ledger is: a server and how it knows us, or a store to open. */
const Context = z.union([
  z.strictObject({ url: z.string(), token: z.string().optional() }),
  z.strictObject({ store: z.string(), namespace: z.string().optional() }),
]);
export type Context = z.output<typeof Context>;

const Saved = z.strictObject({
  current: z.string().nullable(),
  contexts: z.record(z.string(), Context),
});
export type Saved = z.output<typeof Saved>;

/** What a context may be called. */
export const CONTEXT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const GROUP_AND_OTHERS = 0o077;

/** The saved contexts of the user: a file that only they may read, since it holds tokens. */
export class Contexts {
  readonly file: string;

  constructor(configDir: string) {
    this.file = join(configDir, 'cluster-ledger', 'contexts.json');
  }

  /** @throws CliError if the file is there and cannot be read. */
  async read(): Promise<Saved> {
    let text: string;
    try {
      const { mode } = await stat(this.file);
      if ((mode & GROUP_AND_OTHERS) !== 0)
        printWarning(`${this.file} may be read by others, and may hold tokens: chmod 600 it`);
      text = await readFile(this.file, 'utf8');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return { current: null, contexts: {} };
      throw new CliError(EXIT.failed, `the contexts cannot be read: ${message}`);
    }
    try {
      return Saved.parse(JSON.parse(text));
    } catch {
      throw new CliError(EXIT.failed, `${this.file} is no file of contexts: correct it or remove it`);
    }
  }

  /** Whoever reads the file finds the old contexts or the new ones, whole. */
  async write(saved: Saved): Promise<void> {
    await mkdir(dirname(this.file), { recursive: true, mode: 0o700 });
    try {
      await replaceFile(this.file, `${JSON.stringify(saved, null, 2)}\n`, 0o600);
    } catch (error) {
      throw new CliError(EXIT.failed, `the contexts cannot be saved: ${(error as Error).message}`);
    }
  }

  /** @throws CliError if there is none of that name. */
  async find(name: string): Promise<Context> {
    const { contexts } = await this.read();
    return findContext(contexts, name);
  }
}

/** @throws CliError if there is none of that name; says which there are. */
export function findContext(contexts: Saved['contexts'], name: string): Context {
  const context = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (context !== undefined) return context;
  const names = Object.keys(contexts).sort();
  const known = names.length === 0 ? 'none is saved' : `saved are ${names.join(', ')}`;
  throw usageError(`there is no context ${JSON.stringify(name)}: ${known}`);
}
