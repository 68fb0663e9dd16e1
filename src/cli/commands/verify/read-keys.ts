import { MalformedKey, NoteVerifier } from '../../../audit/note-key.ts';
import { usageError } from '../../terminal/cli-error.ts';
import { readInput } from '../../terminal/input.ts';

/** Reads verifier keys. Each value is a key, or a file with one key per line. @throws CliError if a key is not valid. */
export async function readKeys(values: readonly string[]): Promise<string[]> {
  const keys = await Promise.all(values.map(async (text) => (isKey(text) ? [text] : keysIn(text))));
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
    throw usageError(`--key ${file} is not a valid key: its id or its base64 is wrong`);
  const text = await readInput(file).catch((error: unknown) => {
    throw usageError(
      `--key ${file} is not a verifier key, <name>+<id>+<base64>, and ${(error as Error).message}`,
    );
  });
  if (text.includes('PRIVATE+KEY+'))
    throw usageError(`${file} contains a private key: pass the public key; cluster-ledger log key prints it`);
  const keys = text.split('\n').flatMap((line, i) => {
    const key = line.replace(/#.*/, '').trim();
    if (key === '' || isKey(key)) return key === '' ? [] : [key];
    throw usageError(`line ${i + 1} of ${file} is not a verifier key, <name>+<id>+<base64>`);
  });
  if (keys.length === 0) throw usageError(`${file} contains no verifier key, <name>+<id>+<base64>`);
  return keys;
}
