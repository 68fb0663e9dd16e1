import { InvalidArgumentError } from 'commander';
import { FeedPage } from '../../api/feed.ts';
import { EventId } from '../../domain/facts/fact.ts';
import { CliError, EXIT } from '../terminal/cli-error.ts';
import type { Client } from './client.ts';
import { fetchJson, ProblemError } from './requests.ts';

/** Parses what names a fact on the command line: its event id, or its position in the log, which tables show. */
export function eventReference(text: string): string {
  if (EventId.safeParse(text).success || /^[1-9]\d{0,14}$/.test(text)) return text;
  throw new InvalidArgumentError(
    'It must be the event id of the ledger (a UUID), or the position of the fact in the log.',
  );
}

/** Returns the event id of the fact that a reference names. @throws CliError if no fact is at the position. */
export async function eventIdOf(client: Client, reference: string): Promise<string> {
  if (!/^\d+$/.test(reference)) return reference;
  const after = await feedPlace(client, Number(reference) - 1);
  // A position that the log has not reached is a typing mistake, and not worth waiting for.
  const request = { path: '/v1/feed', query: { after, limit: '1' }, attempts: 1 } as const;
  const page = await fetchJson(client, request, FeedPage).catch((error: unknown) => {
    if (error instanceof ProblemError && error.code === 'position-not-reached') return { events: [] };
    throw error;
  });
  const event = page.events.find(({ ledgerposition }) => ledgerposition === reference);
  if (event === undefined)
    throw new CliError(EXIT.failed, `there is no fact at position ${reference} of the log`);
  return event.ledgereventid;
}

/** Returns the place of a position in the feed. After a restore, a place begins with the epoch. */
export async function feedPlace(client: Client, position: number): Promise<string> {
  const { next } = await fetchJson(client, { path: '/v1/feed', query: { after: '0', limit: '1' } }, FeedPage);
  const [epoch, rest] = next.split('.');
  return rest === undefined ? String(position) : `${epoch}.${position}`;
}
