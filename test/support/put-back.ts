import { readFile, writeFile } from 'node:fs/promises';
import type { TestLedger } from './ledger.ts';

/**
 * Does `work` with an open ledger, and then puts files of it back as they were before, as a backup that is too old does. The ledger is
 * closed at the end.
 */
export async function putBackAfter(
  ledger: TestLedger,
  files: readonly string[],
  work: () => Promise<unknown>,
): Promise<void> {
  await ledger.close();
  const contents = await Promise.all(files.map((file) => readFile(file)));
  await ledger.open();
  await work();
  await ledger.close();
  await Promise.all(contents.map((content, i) => writeFile(files[i] as string, content)));
}
