import { z } from 'zod';
import { FACT_TYPES } from '../domain/facts/fact.ts';
import { InstantOut, PositionOut } from './values.ts';

/** Reference to a fact: its ids, its producer, and when it became effective and was recorded. */
export const FactRef = z
  .strictObject({
    eventId: z.string(),
    position: PositionOut,
    type: z.enum(FACT_TYPES),
    clusterId: z.string(),
    source: z.string().describe('Set by the producer, as is the id.'),
    id: z.string(),
    actor: z.string().describe('The caller that posted the fact, as authenticated by the ledger.'),
    effectiveAt: InstantOut,
    recordedAt: InstantOut,
  })
  .meta({ id: 'FactRef' });
export type FactRef = z.output<typeof FactRef>;

/** Names of the fields of a reference, in the order of the columns of a table. */
export const FACT_COLUMNS = FactRef.keyof().options;
