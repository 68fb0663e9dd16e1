import { constants } from 'node:fs';
import { open, readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { InventoryItem } from '../../../domain/inventory.ts';
import { decodeText } from '../../../util/decode-text.ts';
import { SourceUnreadable } from '../../management/source-unreadable.ts';
import { Credential } from '../credential.ts';
import { CredentialRefused, type CredentialSource } from '../credential-source.ts';

/** Maximum size of a kubeconfig in bytes. */
export const MAX_KUBECONFIG_BYTES = 64 * 1024;

const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/;

/**
 * A folder of kubeconfig files: `dir:<file name>`. Files are read on every call, so a rotated one is used at once.
 * Links may point to another file in the folder, as those of a mounted Secret do, but never outside.
 */
export class DirectorySource implements CredentialSource {
  readonly scheme = 'dir';
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async resolve(name: string): Promise<Credential | 'absent'> {
    if (!FILE_NAME.test(name))
      throw new CredentialRefused(
        'connection',
        'must name a file in the folder, with 1 to 253 of A-Z a-z 0-9 . _ -',
      );
    const folder = await this.#realFolder();
    const file = await realpath(join(folder, name)).catch(absentOr('the file cannot be looked up'));
    if (file === undefined) return 'absent';
    if (!file.startsWith(folder + sep))
      throw new CredentialRefused('connection', 'must not point outside the folder');
    const text = await readCapped(file);
    return text === undefined ? 'absent' : new Credential({ kind: 'kubeconfig', text });
  }

  whyAbsent(): string {
    return 'the folder of kubeconfigs has no file with that name';
  }

  async *inventory(): AsyncIterable<InventoryItem> {
    const folder = await this.#realFolder();
    const names = await readdir(folder).catch((error: unknown) =>
      unreadable('the folder cannot be listed', error),
    );
    // A folder that is not mounted is empty too, which does not mean that every cluster is gone.
    if (names.length === 0) throw new SourceUnreadable('the folder is empty');
    for (const name of names.filter((file) => FILE_NAME.test(file)).sort()) {
      const reference = `${this.scheme}:${name}`;
      yield {
        source: this.scheme,
        reference,
        name: name.replace(/\.(ya?ml|json|conf|config|kubeconfig)$/, ''),
      };
    }
  }

  async close(): Promise<void> {}

  async #realFolder(): Promise<string> {
    return realpath(this.#folder).catch((error: unknown) => unreadable('the folder cannot be found', error));
  }
}

async function readCapped(file: string): Promise<string | undefined> {
  // Neither a new link nor a pipe without a writer may block the read.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(file, flags).catch(absentOr('the file cannot be opened'));
  if (handle === undefined) return undefined;
  try {
    if (!(await handle.stat()).isFile())
      throw new CredentialRefused('connection', 'must name a regular file');
    const buffer = Buffer.alloc(MAX_KUBECONFIG_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) return decodeText(buffer.subarray(0, length));
      length += bytesRead;
      if (length > MAX_KUBECONFIG_BYTES)
        throw new CredentialRefused('kubeconfig', `must have at most ${MAX_KUBECONFIG_BYTES} bytes`);
    }
  } catch (error) {
    if (error instanceof CredentialRefused) throw error;
    return unreadable('the file cannot be read', error);
  } finally {
    await handle.close();
  }
}

function absentOr(what: string): (error: unknown) => undefined {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return unreadable(what, error);
  };
}

/** Throws with the failed operation and the error code, without the path. */
function unreadable(what: string, error: unknown): never {
  throw new SourceUnreadable(`${what}: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
}
