import type { Window } from '../../../src/domain/time.ts';
import { DAY_MS } from '../../../src/domain/time.ts';
import type { LedgerModel } from '../../../src/projections/model/ledger-model.ts';
import type { Bench, Row } from '../support/bench.ts';
import { modelOf } from '../support/intervals.ts';
import { folderWithLog, logSize } from '../support/log.ts';
import { cpuMilliseconds, measuredAlone } from '../support/measure.ts';
import { WITHOUT_ANNOUNCEMENTS } from '../support/processes.ts';
import { type Result, timeAgainst, within } from '../support/report.ts';
import type { Measured as Cost } from '../torture/loop-probe.ts';
import { type Probed, startProbed } from '../torture/probed-ledger.ts';

const DAYS = 400;
const FROM = Date.parse('2025-05-01T00:00:00.000Z');
const WINDOW: Window = { from: FROM, to: FROM + DAYS * DAY_MS };
const TOTAL = `from=${new Date(WINDOW.from).toISOString()}&to=${new Date(WINDOW.to).toISOString()}`;
const QUESTION = `${TOTAL}&granularity=day`;
const MAX_FIRST_BYTE_MS = 200;
const MAX_MEMORY_MB = 100;
const MAX_TURN_MS = 50;

/** The answer of one ledger. */
interface Answer extends Cost {
  readonly firstByteMs: number;
  readonly bytes: number;
}

/**
 * Row 15: the usage of all accounts by day over 400 days, as a running ledger answers it over HTTP. Each round has a new process,
 * which has answered the same question without days, so that it has the intervals, and no memory of an earlier round. The floor passes
 * once over the intervals of all clusters.
 */
export const usageByDay: Row = {
  number: 15,
  async run(bench) {
    const size = { ...logSize(bench), days: WINDOW };
    const folder = await folderWithLog(bench, size);
    const answers: Answer[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      const answer = await askNewLedger(bench, folder);
      answers.push(answer);
      const { firstByteMs, rssMiB, holdMs, cpuMs, bytes } = answer;
      bench.say(
        `  round ${round + 1}: first byte ${firstByteMs.toFixed(0)} ms, memory ${rssMiB.toFixed(0)} MiB, longest turn ${holdMs.toFixed(0)} ms of CPU, ${(bytes / 1e6).toFixed(0)} MB in ${cpuMs.toFixed(0)} ms of CPU`,
      );
    }
    const model = await modelOf(folder);
    const passes = [];
    for (let round = 0; round < bench.rounds; round++)
      passes.push(await cpuMilliseconds(() => passOver(model)));
    const ours = (of: (answer: Answer) => number) =>
      measuredAlone(
        'ours',
        answers.map((answer) => ({ value: of(answer) })),
      );
    const work = `usage by day of ${size.accounts} accounts, ${size.clusters} clusters, ${DAYS} days`;
    const part = (row: string, what: string, unit: string, of: (answer: Answer) => number) => ({
      row,
      work: `${work}: ${what}`,
      unit,
      ours: ours(of),
      floor: undefined,
      peers: [],
      notes: [],
    });
    const firstByte = part('15', 'first byte', 'ms', ({ firstByteMs }) => firstByteMs);
    // The largest growth counts: a median would hide the round that needed more.
    const memory = part('15a', 'growth of the memory', 'MB', ({ rssMiB }) => (rssMiB * 2 ** 20) / 1e6);
    const turn = part('15b', 'longest turn of the event loop', 'ms of CPU', ({ holdMs }) => holdMs);
    const whole = part('15c', 'the whole answer', 'ms of CPU', ({ cpuMs }) => cpuMs);
    const floor = measuredAlone('one pass over the intervals', passes);
    return [
      {
        ...firstByte,
        verdicts: [within('first byte, ms', firstByte.ours.median, MAX_FIRST_BYTE_MS, 'ms')],
      },
      { ...memory, verdicts: [within('memory, MB, at most', memory.ours.max, MAX_MEMORY_MB, 'MB')] },
      { ...turn, verdicts: [within('longest turn, ms, at most', turn.ours.max, MAX_TURN_MS, 'ms')] },
      { ...whole, floor, verdicts: [timeAgainst(whole.ours, floor)] },
    ] satisfies Result[];
  },
};

async function askNewLedger(bench: Bench, folder: string): Promise<Answer> {
  const ledger = await startProbed(bench.resources, folder, WITHOUT_ANNOUNCEMENTS);
  await answerOf(ledger, `/v1/usage?${TOTAL}`);
  let answer = { firstByteMs: 0, bytes: 0 };
  const cost = await ledger.measured(async () => {
    answer = await answerOf(ledger, `/v1/usage?${QUESTION}`);
  });
  await ledger.stop();
  return { ...cost, ...answer };
}

async function answerOf({ url }: Probed, path: string): Promise<{ firstByteMs: number; bytes: number }> {
  const since = performance.now();
  const answer = await fetch(url + path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  let [firstByteMs, bytes] = [0, 0];
  for await (const chunk of answer.body ?? []) {
    if (bytes === 0) firstByteMs = performance.now() - since;
    bytes += (chunk as Uint8Array).length;
  }
  return { firstByteMs, bytes };
}

/** Adds the lengths of all intervals. */
function passOver(model: LedgerModel): number {
  let billedMs = 0;
  for (const cluster of model.clusters.texts.keys())
    for (const { from, to } of model.intervals(cluster, model.position)) billedMs += (to ?? WINDOW.to) - from;
  return billedMs;
}
