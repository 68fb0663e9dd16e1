import { inBatchMode, type PostedEvent, registered, resumed, stopped } from '../support/cloud-events.ts';
import { startSingleNode } from '../support/eventstored.ts';
import type { LedgerProcess } from '../support/ledger-process.ts';
import { cpuTimeOf } from './cpu-time.ts';
import { ledgerOnServer } from './ledger-on-server.ts';

/** Costs of a round in which each cluster gets one fact. */
export interface Round {
  readonly clusters: number;
  /** 0 for the first facts of the clusters. */
  readonly round: number;
  readonly factsPerSecond: number;
  /** Processor time for a fact, in milliseconds. */
  readonly ledgerMs: number;
  readonly serverMs: number;
}

export interface ActiveClustersReport {
  readonly rounds: readonly Round[];
  readonly findings: readonly string[];
}

const ROUNDS = 3;
const BATCH = 500;
const CONNECTIONS = 4;
/** How much more a fact may cost with the most clusters than with the fewest. The cost of reading a stream is above that. */
const MAX_GROWTH = 1.4;
const FACTS: readonly ((cluster: string, time: string) => PostedEvent)[] = [registered, stopped, resumed];

/** Posts facts of more and more clusters to a ledger on a real server, one fact of each cluster in each round. */
export async function activeClusters(
  sizes: readonly number[],
  progress: (round: Round) => void,
): Promise<ActiveClustersReport> {
  const rounds: Round[] = [];
  for (const clusters of sizes) {
    const { url, node, remove } = await startSingleNode();
    const { ledger, endLedger } = await ledgerOnServer(url, 'active');
    try {
      await ledger.start();
      const pids = [ledger.pid as number, node.pid as number] as const;
      for (let round = 0; round < ROUNDS; round++) {
        const [began, before] = [performance.now(), await Promise.all(pids.map(cpuTimeOf))];
        await postRound(ledger, clusters, round);
        const after = await Promise.all(pids.map(cpuTimeOf));
        const [ledgerMs, serverMs] = after.map((ms, i) => (ms - (before[i] as number)) / clusters) as [
          number,
          number,
        ];
        const factsPerSecond = (1_000 * clusters) / (performance.now() - began);
        rounds.push({ clusters, round, factsPerSecond, ledgerMs, serverMs });
        progress(rounds.at(-1) as Round);
      }
    } finally {
      await endLedger();
      await remove();
    }
  }
  return { rounds, findings: growthOf(rounds) };
}

async function postRound(ledger: LedgerProcess, clusters: number, round: number): Promise<void> {
  const fact = FACTS[round] as (typeof FACTS)[number];
  const time = `2026-0${1 + round}-01T00:00:00.000Z`;
  let next = 0;
  const post = async () => {
    while (next < clusters) {
      const first = next;
      next += BATCH;
      const facts = Array.from({ length: BATCH }, (_, i) => fact(`c-${first + i}`, time));
      const { headers, body } = inBatchMode(facts);
      for (let isDone = false; !isDone; ) {
        const answer = await fetch(`${ledger.url}/v1/events`, {
          method: 'POST',
          headers,
          body: String(body),
        });
        const text = await answer.text();
        isDone = answer.ok;
        if (!isDone && answer.status !== 503) throw new Error(`${answer.status} ${text}`);
      }
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, post));
}

/** Later facts of a cluster must not cost more because there are many clusters. */
function growthOf(rounds: readonly Round[]): string[] {
  const later = rounds.filter(({ round }) => round > 0);
  const costOf = ({ ledgerMs, serverMs }: Round) => ledgerMs + serverMs;
  const fewest = Math.min(...later.map(({ clusters }) => clusters));
  const least = Math.min(...later.filter(({ clusters }) => clusters === fewest).map(costOf));
  return later
    .filter((round) => costOf(round) > MAX_GROWTH * least)
    .map(({ clusters, round }) => `a fact of round ${round} costs too much with ${clusters} clusters`);
}
