import type { z } from 'zod';
import type { FeedEvent } from '../../api/feed.ts';
import { factTypeOf } from '../../domain/facts/cloud-event.ts';
import type { Column } from '../terminal/table.ts';

type Event = Pick<
  z.output<typeof FeedEvent>,
  'ledgerposition' | 'ledgereventid' | 'recordedtime' | 'time' | 'type' | 'subject' | 'source' | 'id'
>;

/** Columns of a table of facts. The position names the fact in every command that takes an event. */
export const FACT_COLUMNS: readonly Column<Event>[] = [
  { title: 'POSITION', isFigure: true, cell: ({ ledgerposition }) => ledgerposition },
  { title: 'EFFECTIVE AT', cell: ({ time }) => time },
  { title: 'FACT', cell: ({ type }) => factTypeOf(type) ?? type },
  { title: 'CLUSTER', cell: ({ subject }) => subject },
  { title: 'RECORDED AT', isWide: true, cell: ({ recordedtime }) => recordedtime },
  { title: 'EVENT ID', isWide: true, isName: true, cell: ({ ledgereventid }) => ledgereventid },
  { title: 'SOURCE', isWide: true, cell: ({ source }) => source },
  { title: 'ID', isWide: true, cell: ({ id }) => id },
];
