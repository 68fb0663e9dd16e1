import { readFile } from 'node:fs/promises';

/** Length of a tick of the times in /proc. */
const TICK_MS = 10;

/** Returns the processor time of a process so far, in milliseconds. */
export async function cpuTimeOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name of the program, in parentheses, may have spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
