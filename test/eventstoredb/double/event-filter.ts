import type { LogEvent } from './records.ts';

/** Whether a reader of $all sees this event. */
export type EventFilter = (event: LogEvent) => boolean;

/** Events that are hidden from every reader of $all: the node's own epochs. */
export const everything: EventFilter = ({ stream }) => stream !== '$epoch-information';

/** The filter of a client. With an empty `regex` the prefixes count. */
export interface FilterExpression {
  readonly on: 'stream name' | 'event type';
  readonly prefixes: readonly string[];
  readonly regex: string;
}

export function createFilter({ on, prefixes, regex }: FilterExpression): EventFilter {
  const pattern = regex === '' ? undefined : new RegExp(regex, 'u');
  return (event) => {
    if (!everything(event)) return false;
    const text = on === 'stream name' ? event.stream : event.type;
    return pattern?.test(text) ?? prefixes.some((prefix) => text.startsWith(prefix));
  };
}
