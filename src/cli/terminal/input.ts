import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { CliError, EXIT, usageError } from './cli-error.ts';

/** The text of a file, or of the standard input for `-`. @throws CliError if it cannot be read. */
export async function readInput(file: string): Promise<string> {
  if (file === '-') return text(process.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CliError(EXIT.failed, `${file} cannot be read: ${(error as Error).message}`);
  }
}

/** Events in a file: one, an array of them, or one on each line (NDJSON). @throws CliError if it holds none. */
export async function readEvents(file: string): Promise<unknown[]> {
  const given = await readInput(file);
  const whole = parsed(given);
  if (whole !== undefined) return Array.isArray(whole.value) ? whole.value : [whole.value];
  return given.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    const one = parsed(line);
    if (one !== undefined) return [one.value];
    const name = file === '-' ? 'the standard input' : file;
    throw usageError(
      `${name} must hold events in JSON, an array of them, or one on each line; line ${i + 1} is no JSON`,
    );
  });
}

function parsed(json: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(json) };
  } catch {
    return undefined;
  }
}
