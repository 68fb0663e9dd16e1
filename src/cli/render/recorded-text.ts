import type { RecordedOut } from '../../api/events.ts';
import type { Output } from '../terminal/output.ts';

/** Returns a function that prints where a fact was recorded. @param did what the fact did to the cluster, such as `stopped`. */
export function recordedText(did: string): (out: Output, recorded: RecordedOut) => Promise<void> {
  return (out, { outcome, clusterId, eventId, position, noEffect }) =>
    out.details([
      [outcome === 'duplicate' ? `${did} before` : did, clusterId],
      ['event id', eventId],
      ['position', position],
      ...(noEffect === undefined ? [] : [['no effect', noEffect.detail] as const]),
    ]);
}
