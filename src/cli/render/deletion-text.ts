import type { DeletionOut } from '../../api/deletions.ts';
import type { Detail } from '../terminal/output.ts';

/** Returns the labels and values of a deletion. */
export function deletionDetails(deletion: DeletionOut): Detail[] {
  const { requested, confirmed, begun, failed, cancelled, deleted } = deletion;
  return [
    ['deletion', deletion.deletionId],
    ['cluster', deletion.clusterId],
    ['state', deletion.state],
    ['requested', requested && `${requested.at} by ${requested.by}`],
    ['confirmed', confirmed && `${confirmed.at} by ${confirmed.by}`],
    ['begun', begun?.at],
    ['failed', failed && `${failed.at}: ${failed.reason ?? 'no reason given'}`],
    ['canceled', cancelled && `${cancelled.at} by ${cancelled.by}`],
    ['billed until', deleted?.effectiveAt],
  ];
}
