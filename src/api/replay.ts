import { z } from 'zod';
import { FactEventOut } from './feed.ts';
import { AmountsOut, UsageOut } from './usage.ts';
import { PositionOut } from './values.ts';

/** A line of a replay: a fact, the usage of the window after it, and the change by it. */
export const ReplayLine = z
  .strictObject({
    position: PositionOut,
    fact: FactEventOut,
    usage: UsageOut.describe('Usage of the window after the fact was recorded.'),
    delta: AmountsOut.describe('The change by the fact.'),
  })
  .meta({ id: 'ReplayLine' });
