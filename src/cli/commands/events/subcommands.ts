import type { Command } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { addEventsAppend } from './append.ts';
import { addEventsRejected } from './rejected.ts';
import { addEventsRetry } from './retry.ts';
import { addEventsShow } from './show.ts';
import { addEventsTail } from './tail.ts';
import { addEventsVoid } from './void.ts';

/** Adds `events` and its subcommands. */
export function addEvents(parent: Command, cli: CliContext): void {
  const group = parent
    .command('events')
    .description(
      'Reads recorded facts, posts new ones as CloudEvents, voids wrong ones, and shows rejected events.',
    );
  for (const add of [
    addEventsTail,
    addEventsShow,
    addEventsAppend,
    addEventsVoid,
    addEventsRejected,
    addEventsRetry,
  ])
    add(group, cli);
}
