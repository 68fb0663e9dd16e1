import type { Command } from 'commander';

/** Forms of the output besides tables. */
export const FORMATS = ['json', 'yaml', 'csv', 'name', 'wide'] as const;
export type Format = (typeof FORMATS)[number];

/** Returns the chosen form of the output of a command, and makes `--json` and `--csv` follow it. */
export function chosenFormat(command: Command): Format | undefined {
  const option = command.options.find(
    ({ long, argChoices }) => long === '--output' && argChoices !== undefined,
  );
  const { output } = command.opts<{ output?: Format }>();
  if (option === undefined || output === undefined) return undefined;
  if (output === 'json' || output === 'yaml') command.setOptionValue('json', true);
  if (output === 'csv' && command.options.some(({ long }) => long === '--csv')) {
    command.setOptionValue('csv', true);
    return undefined;
  }
  return output;
}
