import { setTimeout as wait } from 'node:timers/promises';
import { inBatchMode, registered } from '../support/cloud-events.ts';
import { startSingleNode } from '../support/eventstored.ts';
import { cpuTimeOf } from './cpu-time.ts';
import { ledgerOnServer } from './ledger-on-server.ts';
import { writeForeign } from './server-faults.ts';

/** The cost of an idle ledger for the server that it shares. */
export interface IdleReport {
  readonly foreignEvents: number;
  /** Share of a processor that the server takes while the ledger is idle, and while there is no ledger, in percent. */
  readonly cpuWithLedger: number;
  readonly cpuWithout: number;
  /** Time from the start of the process to `/readyz`, in seconds, and processor time that the server spends on it. */
  readonly startSeconds: number;
  readonly startServerSeconds: number;
  readonly findings: readonly string[];
}

const FACTS = 50;
const MAX_CPU_PERCENT = 5;
const MAX_START_S = 3;
const MEASURE_MS = 60_000;

/**
 * Runs a ledger of few facts on a real server, lets another application write many events, and measures what the idle ledger costs
 * the server, and how long its next start takes.
 */
export async function idleBeside(count: number, progress: (text: string) => void): Promise<IdleReport> {
  const { url, node, remove } = await startSingleNode();
  const { ledger, endLedger } = await ledgerOnServer(url, 'idle');
  const cpuMs = () => cpuTimeOf(node.pid as number);
  const percentOver = async (ms: number) => {
    const before = await cpuMs();
    await wait(ms);
    return (100 * ((await cpuMs()) - before)) / ms;
  };
  try {
    await ledger.start();
    const facts = Array.from({ length: FACTS }, (_, i) => registered(`c${i}`, '2026-03-01T00:00:00.000Z'));
    const { headers, body } = inBatchMode(facts);
    await fetch(`${ledger.url}/v1/events`, { method: 'POST', headers, body: String(body) });
    const foreignEvents = await writeForeign(url, (written) => written >= count);
    progress(`${foreignEvents} foreign events are written`);
    // By then the ledger has seen everything that was written.
    await percentOver(MEASURE_MS / 2);
    const cpuWithLedger = await percentOver(MEASURE_MS);
    progress(`${cpuWithLedger.toFixed(1)} % with the ledger`);
    await ledger.stop();
    await wait(5_000);
    const cpuWithout = await percentOver(MEASURE_MS / 2);
    progress(`${cpuWithout.toFixed(1)} % without`);
    const [began, spent] = [performance.now(), await cpuMs()];
    await ledger.start();
    const startSeconds = (performance.now() - began) / 1_000;
    const startServerSeconds = ((await cpuMs()) - spent) / 1_000;
    const findings: string[] = [];
    const cost = cpuWithLedger - cpuWithout;
    if (cost > MAX_CPU_PERCENT) findings.push(`the idle ledger costs ${cost.toFixed(1)} % of a processor`);
    if (startSeconds > MAX_START_S) findings.push(`a start took ${startSeconds.toFixed(1)} s`);
    return { foreignEvents, cpuWithLedger, cpuWithout, startSeconds, startServerSeconds, findings };
  } finally {
    await endLedger();
    await remove();
  }
}
