import { MalformedKey, NoteVerifier } from '../../../audit/note-key.ts';
import { usageError } from '../../terminal/cli-error.ts';
import { readInput } from '../../terminal/input.ts';

/** The keys that were given: each in its verifier form, or a file with some. @throws CliError */
export async function readKeys(given: readonly string[]): Promise<string[]> {
  const keys = await Promise.all(given.map(async (text) => (isKey(text) ? [text] : keysIn(text))));
  return [...new Set(keys.flat())];
}

function isKey(text: string): boolean {
  try {
    NoteVerifier.parse(text);
    return true;
  } catch (error) {
    if (error instanceof MalformedKey) return false;
    throw error;
  }
}

async function keysIn(file: string): Promise<string[]> {
  if (/^[^/\n]+\+[0-9a-f]{8}\+/.test(file))
    throw usageError(`--key ${file} is no key: its id or its base64 is wrong`);
  const text = await readInput(file).catch((error: unknown) => {
    throw usageError(
      `--key ${file} is no key in verifier form, <name>+<id>+<base64>, and ${(error as Error).message}`,
    );
  });
  if (text.includes('PRIVATE+KEY+'))
    throw usageError(
      `${file} holds a private key, which verifies nothing: give the public one, cluster-ledger log key`,
    );
  const keys = text.split('\n').flatMap((line, i) => {
    const key = line.replace(/#.*/, '').trim();
    if (key === '' || isKey(key)) return key === '' ? [] : [key];
    throw usageError(`line ${i + 1} of ${file} is no key in verifier form, <name>+<id>+<base64>`);
  });
  if (keys.length === 0) throw usageError(`${file} holds no key in verifier form, <name>+<id>+<base64>`);
  return keys;
}
