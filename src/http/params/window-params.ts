import { clippedWindow } from '../../domain/billing/usage-meter.ts';
import { type Instant, periodWindow, type Window } from '../../domain/time.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import type { Position } from '../../util/log-numbers.ts';
import { invalidRequest } from '../server/problem.ts';
import { type AsOf, asOfOut, InstantText, instantOut, PeriodText } from './fields.ts';

/** The query parameters of a window, and the instant up to which it is counted. */
export const WindowFields = {
  period: PeriodText.optional().describe('A UTC month, YYYY-MM. Alternatively, set from and to.'),
  from: InstantText.optional().describe('Start of the window, included.'),
  to: InstantText.optional().describe('End of the window, not included.'),
  through: InstantText.optional().describe('Count time up to this instant; by default now.'),
};
interface WindowQuery {
  readonly period?: string | undefined;
  readonly from?: Instant | undefined;
  readonly to?: Instant | undefined;
  readonly through?: Instant | undefined;
}

/**
 * Returns the window of a request.
 * @param pointer the pointer to the parent of the fields: `/query`, or empty for the body.
 * @throws Problem `invalid-request`
 */
export function windowOf({ period, from, to }: WindowQuery, pointer: '/query' | ''): Window {
  if (period !== undefined && from === undefined && to === undefined) return periodWindow(period);
  if (period === undefined && from !== undefined && to !== undefined) {
    if (from <= to) return { from, to };
    throw invalidRequest([{ pointer: `${pointer}/to`, detail: 'must not be before from' }]);
  }
  throw invalidRequest([{ pointer: `${pointer}/period`, detail: 'set either period, or both from and to' }]);
}

/** Returns the window of a request, and the instant up to which it is counted; by default now. @throws Problem `invalid-request` */
export function countedOf(query: WindowQuery, now: Instant, pointer: '/query' | '') {
  const window = windowOf(query, pointer);
  return { window, through: clippedWindow(window, query.through ?? now).to };
}

/** Returns the head of an answer about a window. It says if the window begins before the first period that has statements. */
export function windowHead(
  model: LedgerModel,
  { period }: WindowQuery,
  { window, through }: { readonly window: Window; readonly through: Instant },
) {
  const begun = model.beginning?.period;
  const isBefore = begun !== undefined && window.from < periodWindow(begun).from;
  return {
    ...(period !== undefined && { period }),
    window: { from: instantOut(window.from), to: instantOut(window.to) },
    through: instantOut(through),
    ...(isBefore && { statementsBegin: begun }),
  };
}

export function headOf(
  model: LedgerModel,
  query: WindowQuery & { readonly asOf?: AsOf | undefined },
  counted: { readonly window: Window; readonly through: Instant; readonly asOf: Position },
) {
  return {
    ...windowHead(model, query, counted),
    asOf: asOfOut(query.asOf),
    position: String(counted.asOf),
  };
}
