import { UnreadableFact } from '../facts/fact.ts';
import type { Rejection } from '../facts/rejection.ts';
import { BILLING_BEGAN } from '../stream-table.ts';
import { PERIOD, type Period } from '../time.ts';
import type { Calendar } from './period.ts';

/** The decision of an operator that statements begin with a period: an earlier system charged for what was used before. */
export interface Beginning {
  readonly period: Period;
  readonly reason: string;
}

/** Reads a recorded beginning. @throws UnreadableFact if it is of a type or form that this release does not know. */
export function parseBeginning(type: string, data: { readonly [key: string]: unknown }): Beginning {
  if (type !== BILLING_BEGAN) throw new UnreadableFact(`${type} is not known`);
  const { period, reason } = data;
  if (typeof period !== 'string' || !PERIOD.test(period))
    throw new UnreadableFact(`${type} has no readable period`);
  return { period, reason: typeof reason === 'string' ? reason : '' };
}

/** Returns why statements cannot begin with a period; `undefined` if they can. */
export function rejectBeginning(
  period: Period,
  { begun, firstClosed }: Pick<Calendar, 'begun' | 'firstClosed'>,
): Rejection | undefined {
  if (begun !== undefined) return { code: 'billing-already-begun', period, begun };
  if (firstClosed !== undefined) return { code: 'billing-already-closed', period, firstClosed };
  return undefined;
}
