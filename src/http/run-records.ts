import type { RunDetailOut } from '../api/validations.ts';
import { runStream } from '../domain/stream-table.ts';
import { parseRunId, parseRunRecord, type RunRecord } from '../domain/validation/records/run-record.ts';
import { completedRun, type Run, startedRun } from '../domain/validation/records/run-summary.ts';
import { instantOut } from './params/fields.ts';
import type { HttpServices } from './server/app.ts';

/** Maximum number of conclusions and of conditions in the details of a run. The result of the run has the counts. */
const MAX_ITEMS = 1_000;

/** Yields the records of a run in order; none if the run does not exist. */
async function* recordsOf(
  { store }: HttpServices,
  run: string,
): AsyncGenerator<[record: RunRecord, recordedAt: number, eventId: string]> {
  for await (const { id, type, data, recordedAt } of store.readStream(runStream(run)))
    yield [parseRunRecord(type, data), recordedAt, id];
}

/** Reads a run that is no longer in memory from the store; `undefined` if it does not exist. */
export async function runFromStore(services: HttpServices, id: string): Promise<Run | undefined> {
  if (parseRunId(id) === undefined) return undefined;
  let run: Run | undefined;
  for await (const [record, at, eventId] of recordsOf(services, id)) {
    if (record.type === 'ValidationStarted') {
      const position = services.projections.model.locate(eventId)?.position ?? 0;
      run = startedRun(id, record.data, { position, recordedAt: at });
    }
    if (record.type !== 'ValidationCompleted' || run === undefined || at > run.deadline) continue;
    run = completedRun(run, record.data, at);
  }
  return run;
}

/** Reads the verdicts, facts and conditions of a run from its records. */
export async function detailsOf(services: HttpServices, { run, tick }: Run) {
  const verdicts: RunDetailOut['verdicts'] = [];
  const facts: { clusterId: string; type: string }[] = [];
  const wouldHave: RunDetailOut['wouldHave'] = [];
  const raised: RunDetailOut['raised'] = [];
  const resolved: string[] = [];
  for await (const [{ type, data }] of recordsOf(services, run)) {
    if (type === 'ValidationRecorded') {
      for (const { state, code, clusters } of data.verdicts) {
        for (const [clusterId, offset, uid, detail] of clusters) {
          if (offset === undefined || offset === null) continue;
          const optional = { ...(uid && { uid }), ...(detail && { detail }) };
          verdicts.push({ clusterId, state, code, at: instantOut(tick + offset), ...optional });
        }
      }
    }
    if (type !== 'ValidationJudged') continue;
    facts.push(...data.facts.map(([clusterId, factType]) => ({ clusterId, type: factType })));
    wouldHave.push(...(data.wouldHave as RunDetailOut['wouldHave']));
    raised.push(...data.raised);
    resolved.push(...data.resolved);
  }
  const limited = <T>(items: readonly T[]) => items.slice(0, MAX_ITEMS);
  return {
    verdicts,
    facts: limited(facts),
    wouldHave: limited(wouldHave),
    raised: limited(raised),
    resolved: limited(resolved),
  };
}
