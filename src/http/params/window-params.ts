import { clippedWindow } from '../../domain/billing/usage.ts';
import { type Instant, periodWindow, type Window } from '../../domain/time.ts';
import { invalidRequest } from '../server/problem.ts';
import { type AsOf, asOfOut, InstantText, instantOut, PeriodText } from './fields.ts';

/** What is asked of a window: which it is, and up to when it is counted. */
export const WindowFields = {
  period: PeriodText.optional().describe('A UTC month, YYYY-MM; or give from and to.'),
  from: InstantText.optional(),
  to: InstantText.optional(),
  through: InstantText.optional().describe('Count up to this instant; by default now.'),
};
interface Asked {
  readonly period?: string | undefined;
  readonly from?: Instant | undefined;
  readonly to?: Instant | undefined;
  readonly through?: Instant | undefined;
}

/** @param place of the fields, for the problem: `/query`, or empty for the body. @throws Problem `invalid-request` */
export function windowOf({ period, from, to }: Asked, place: '/query' | ''): Window {
  if (period !== undefined && from === undefined && to === undefined) return periodWindow(period);
  if (period === undefined && from !== undefined && to !== undefined) {
    if (from <= to) return { from, to };
    throw invalidRequest([{ pointer: `${place}/to`, detail: 'must not be before from' }]);
  }
  throw invalidRequest([{ pointer: `${place}/period`, detail: 'give period, or from and to' }]);
}

/** The window, and the instant up to which it is counted: by default now. @throws Problem `invalid-request` */
export function countedOf(asked: Asked, now: Instant, place: '/query' | '') {
  const window = windowOf(asked, place);
  return { window, through: clippedWindow(window, asked.through ?? now).to };
}

export function windowHead(
  { period }: Asked,
  { window, through }: { readonly window: Window; readonly through: Instant },
) {
  return {
    ...(period !== undefined && { period }),
    window: { from: instantOut(window.from), to: instantOut(window.to) },
    through: instantOut(through),
  };
}

export function headOf(
  asked: Asked & { readonly asOf?: AsOf | undefined },
  counted: { readonly window: Window; readonly through: Instant; readonly asOf: number },
) {
  return {
    ...windowHead(asked, counted),
    asOf: asOfOut(asked.asOf),
    position: String(counted.asOf),
  };
}
