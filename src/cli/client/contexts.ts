import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { OTHERS } from '../../util/private-file.ts';
import { OWNER_ONLY, replaceFile } from '../../util/replace-file.ts';
import { CliError, EXIT, usageError } from '../terminal/cli-error.ts';
import { printWarning } from '../terminal/output.ts';

/** A saved ledger: the URL of a running one and a token, or a store to open. */
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

/** Names that a context may have. */
export const CONTEXT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The saved contexts of the user. Only the user may read their file, since it may hold tokens. */
export class Contexts {
  readonly file: string;

  constructor(configDir: string) {
    this.file = join(configDir, 'cluster-ledger', 'contexts.json');
  }

  /** Returns the saved contexts; none if there is no file. @throws CliError if the file cannot be read. */
  async read(): Promise<Saved> {
    let text: string;
    try {
      const { mode } = await stat(this.file);
      if ((mode & OTHERS) !== 0)
        printWarning(`other users can read ${this.file}, which may hold tokens: run chmod 600 on it`);
      text = await readFile(this.file, 'utf8');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return { current: null, contexts: {} };
      throw new CliError(EXIT.failed, `cannot read the contexts: ${message}`);
    }
    try {
      return Saved.parse(JSON.parse(text));
    } catch {
      throw new CliError(EXIT.failed, `${this.file} is not a valid contexts file: fix it or delete it`);
    }
  }

  /** Replaces the saved contexts atomically. @throws CliError if the file cannot be written. */
  async write(saved: Saved): Promise<void> {
    await mkdir(dirname(this.file), { recursive: true, mode: 0o700 });
    try {
      await replaceFile(this.file, `${JSON.stringify(saved, null, 2)}\n`, OWNER_ONLY);
    } catch (error) {
      throw new CliError(EXIT.failed, `cannot save the contexts: ${(error as Error).message}`);
    }
  }

  /** Returns a context by name. @throws CliError if there is none. */
  async find(name: string): Promise<Context> {
    const { contexts } = await this.read();
    return findContext(contexts, name);
  }
}

/** Returns a context by name. @throws CliError with the saved names if there is none. */
export function findContext(contexts: Saved['contexts'], name: string): Context {
  const context = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (context !== undefined) return context;
  const names = Object.keys(contexts).sort();
  const choices = names.length === 0 ? 'no context is saved' : `saved contexts: ${names.join(', ')}`;
  throw usageError(`unknown context ${JSON.stringify(name)}; ${choices}`);
}
