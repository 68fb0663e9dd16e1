import type { FactRef } from '../../../src/api/fact-ref.ts';
import type { ReplayLine } from '../../data/replay.ts';
import { factTypeOf } from '../../ui/fact-card.tsx';

/** Returns the reference to the fact of a line of a replay. */
export function factRefOf({ position, fact }: ReplayLine): FactRef {
  return {
    eventId: fact.ledgereventid,
    position,
    type: factTypeOf(fact.type) as FactRef['type'],
    clusterId: fact.subject,
    source: fact.source,
    id: fact.id,
    actor: String(fact.ledgeractor ?? ''),
    effectiveAt: fact.time,
    recordedAt: fact.recordedtime,
  };
}
