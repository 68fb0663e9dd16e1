import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { CliError, EXIT, usageError } from './cli-error.ts';

/** Returns the text of a file, or of stdin if the file is `-`. @throws CliError if the file cannot be read. */
export async function readInput(file: string): Promise<string> {
  if (file === '-') return text(process.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CliError(EXIT.failed, `cannot read ${file}: ${(error as Error).message}`);
  }
}

/** Reads events from a file: one JSON event, an array, or one event per line (NDJSON). @throws CliError if it is not JSON. */
export async function readEvents(file: string): Promise<unknown[]> {
  const content = await readInput(file);
  const whole = tryParse(content);
  if (whole !== undefined) return Array.isArray(whole.value) ? whole.value : [whole.value];
  return content.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    const event = tryParse(line);
    if (event !== undefined) return [event.value];
    const name = file === '-' ? 'stdin' : file;
    throw usageError(
      `line ${i + 1} of ${name} is not valid JSON; expected a CloudEvent, an array of them, or one per line`,
    );
  });
}

function tryParse(json: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(json) };
  } catch {
    return undefined;
  }
}
