import { isDeepStrictEqual } from 'node:util';
import { serializeFact } from '../../../src/domain/facts/recorded-fact.ts';
import type { LogEvent } from '../../../src/eventstore/event-store.ts';
import { LedgerModel } from '../../../src/projections/model/ledger-model.ts';
import { encodeModel } from '../../../src/projections/model/snapshot.ts';
import { accountUsage } from '../../../src/projections/queries/account-usage.ts';
import { accountsAt, type OracleFact, usageAt } from '../../oracle/oracle.ts';
import { type Answered, SOURCE } from './commands.ts';
import type { Replica } from './replica.ts';

const WINDOW = { from: Date.UTC(2026, 2), to: Date.UTC(2026, 4) };

/**
 * Returns what is wrong after a run, in words; empty if nothing is. It compares three things with the log as the server has it:
 * the answers to the clients, what the replicas have in memory, and what the rules of billing say.
 */
export function findings(
  log: readonly LogEvent[],
  answered: readonly Answered[],
  replicas: readonly Replica[],
): string[] {
  const expected = expectedOf(log);
  return [
    ...wrongLog(log),
    ...wrongAnswers(log, answered, expected.begun),
    ...replicas.flatMap((replica, i) => wrongModel(expected, replica).map((text) => `replica ${i}: ${text}`)),
  ];
}

const clusterEvents = (log: readonly LogEvent[]) => log.filter(({ stream }) => stream.startsWith('cluster-'));

/** Each event of a producer is in the stream of its cluster once, and time never goes back in a stream. */
function wrongLog(log: readonly LogEvent[]): string[] {
  const seen = new Set<string>();
  const wrong: string[] = [];
  for (const { stream, metadata, revision } of clusterEvents(log)) {
    if (metadata['source'] !== SOURCE) continue;
    const key = `${stream} ${metadata['id']}`;
    if (seen.has(key))
      wrong.push(`event ${metadata['id']} is recorded twice, again at ${stream} ${revision}`);
    seen.add(key);
  }
  for (const [stream, events] of Map.groupBy(log, (event) => event.stream))
    if (stream.startsWith('period-') && events.length > 1)
      wrong.push(`${stream} is closed ${events.length} times`);
  return wrong;
}

/** Each acknowledged fact is where the answer says, with what was posted; each rejection has a cause; a repeat gets the first answer. */
function wrongAnswers(
  log: readonly LogEvent[],
  answered: readonly Answered[],
  begun: string | undefined,
): string[] {
  const wrong: string[] = [];
  const places = new Map(log.map((event) => [`${event.stream} ${event.revision}`, event]));
  const firsts = new Map<string, Answered>();
  for (const each of answered) {
    const { command, answer } = each;
    if (command.kind === 'begin') {
      if (answer.outcome === 'begun' && begun !== command.period)
        wrong.push(`statements were said to begin with ${command.period}, and begin with ${begun}`);
      continue;
    }
    if (command.kind === 'close') {
      if (answer.outcome !== 'closed') continue;
      const [closing] = log.filter(({ stream }) => stream === `period-${command.period}`);
      if (closing?.data['statementsDigest'] !== answer.digest)
        wrong.push(`the closing of ${command.period} was answered with other statements than were recorded`);
      continue;
    }
    const { fact, origin } = command.submission;
    const stream = `cluster-${fact.clusterId}`;
    const name = `event ${origin.id} of ${fact.clusterId}`;
    if (answer.outcome === 'appended' || answer.outcome === 'duplicate') {
      const event = places.get(`${stream} ${answer.revision}`);
      if (event === undefined || event.id !== answer.eventId)
        wrong.push(`${name} was acknowledged and is not in the log`);
      else if (answer.position !== null && !isAt(event, answer.position, answer.recordedAt))
        wrong.push(`${name} was acknowledged with another position or time than it has`);
      else if (!isDeepStrictEqual(event.data, JSON.parse(JSON.stringify(serializeFact(fact, origin).data))))
        wrong.push(`${name} was acknowledged with another content`);
      const key = `${stream} ${origin.id}`;
      const first = firsts.get(key);
      if (first === undefined || each.answeredAt < first.answeredAt) firsts.set(key, each);
    } else if (answer.outcome === 'rejected') {
      if (!log.some(({ type, data }) => type === 'EventRejected' && data['id'] === origin.id))
        wrong.push(`${name} was rejected, and the rejected event was not kept`);
      const isKnown = (voids: string) =>
        answered.some(
          ({ answer, answeredAt }) =>
            'eventId' in answer && answer.eventId === voids && answeredAt < each.sentAt,
        );
      if (answer.code === 'void-target-unknown' && fact.type === 'FactVoided' && isKnown(fact.voids))
        wrong.push(`${name} was rejected because its target is unknown, which was acknowledged before`);
    }
  }
  for (const { command, answer, sentAt } of answered) {
    if (command.kind !== 'fact' || !('eventId' in answer)) continue;
    const first = firsts.get(`cluster-${command.submission.fact.clusterId} ${command.submission.origin.id}`);
    if (first === undefined || first.answeredAt >= sentAt || !('eventId' in first.answer)) continue;
    // Whether a repeat is called `appended` may depend on the replica: another one may have recorded it in the same millisecond.
    if (answer.eventId !== first.answer.eventId || answer.revision !== first.answer.revision)
      wrong.push(`event ${command.submission.origin.id} was acknowledged, and then again as another one`);
  }
  return wrong;
}

function isAt(event: LogEvent, position: string, recordedAt: string): boolean {
  return String(event.position) === position && new Date(event.recordedAt).toISOString() === recordedAt;
}

/** Contents of memory that a log requires: the model of a replay, byte for byte, and the bill of each account by the rules. */
interface Expected {
  readonly model: Buffer;
  /** The period with which statements begin, if a beginning has an effect. */
  readonly begun: string | undefined;
  /** Cluster seconds by account. */
  readonly billed: ReadonlyMap<string, string>;
}

function expectedOf(log: readonly LogEvent[]): Expected {
  const replayed = new LedgerModel();
  for (const event of log) replayed.apply(event);
  const facts = clusterEvents(log).map(oracleFact);
  const window = [BigInt(WINDOW.from), BigInt(WINDOW.to)] as const;
  const billed = accountsAt(facts, log.length).map((account) => {
    const { clusterSeconds } = usageAt(facts, log.length, account, window, window[1]);
    return [account, clusterSeconds] as const;
  });
  const begun = replayed.beginning?.period;
  return { model: encodeModel(replayed), begun, billed: new Map(billed) };
}

function wrongModel({ model: bytes, billed }: Expected, { projections, failure }: Replica): string[] {
  if (failure !== undefined) return [`it failed: ${failure}`];
  const { model } = projections;
  const wrong: string[] = [];
  if (!encodeModel(model).equals(bytes)) wrong.push('its model is not that of a replay of the log');
  for (const { why } of model.closedPeriods.unreadable) wrong.push(`an event decides nothing: ${why}`);
  for (const drift of projections.statements.drifts)
    wrong.push(`statements of ${drift.period} drift: ${drift.why}`);
  for (const [account, right] of billed) {
    const question = { window: WINDOW, through: WINDOW.to, asOf: model.position, byDay: false };
    const { usage } = accountUsage(model, account, question);
    if (usage.clusterSeconds !== right)
      wrong.push(`${account} is billed ${usage.clusterSeconds} cluster seconds, and by the rules ${right}`);
  }
  return wrong;
}

function oracleFact({ id, position, stream, type, data }: LogEvent): OracleFact {
  const clusterId = stream.slice('cluster-'.length);
  const effectiveAt = BigInt(Date.parse(String(data['effectiveAt'])));
  return {
    ...data,
    eventId: id,
    position,
    clusterId,
    type: type.replace(/\.v\d+$/, ''),
    effectiveAt,
  } as OracleFact;
}
