import { FUTURE_TOLERANCE_MS } from '../../domain/facts/decide-fact.ts';
import { DAY_MS, type Instant } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { BillingIndex } from './billing-index.ts';
import type { ClusterOwners } from './cluster-owners.ts';
import type { FactTable } from './fact-table.ts';
import type { AccountNumber, ClusterNumber } from './interned-numbers.ts';

/** Smallest difference that is a jump, in clusters. It must also be more than half of what was billed. */
const MIN_CLUSTERS = 5;

/** How many clusters are billed to an account, if that differs much from a day earlier. */
export interface CountJump {
  readonly account: AccountNumber;
  /** When the difference became so large. */
  readonly since: Instant;
  readonly before: number;
  readonly after: number;
}

/** A cluster that is billed to an account now and was not a day earlier (1), or the other way around (-1). */
interface Change {
  readonly at: Instant;
  readonly difference: 1 | -1;
}

interface Sources {
  readonly facts: FactTable;
  readonly owners: ClusterOwners;
  readonly billing: BillingIndex;
}

/**
 * Compares how many clusters are billed to each account with a day earlier, both by all facts that are known. Only clusters with
 * a fact that took effect in between can make a difference, so the cost depends on their number.
 */
export class CountJumps {
  readonly #sources: Sources;
  /** Last position that was searched for such facts. */
  #searched: Position = 0;
  /** When the last fact took effect, by cluster; at least those of the last day. */
  readonly #recent = new Map<ClusterNumber, Instant>();

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** Returns the jumps of all accounts at an instant, in no particular order. */
  at(now: Instant): CountJump[] {
    this.#search(now);
    return Array.from(this.#changes(now), ([account, changes]) => this.#jumpOf(account, changes, now)).filter(
      (jump) => jump !== undefined,
    );
  }

  #search(now: Instant): void {
    const { facts } = this.#sources;
    const first = Math.max(this.#searched, facts.positionAt(now - DAY_MS - FUTURE_TOLERANCE_MS)) + 1;
    for (let position = first; position <= facts.head; position++) {
      const effectiveAt = facts.effectiveAt(position);
      if (effectiveAt <= now - DAY_MS || !facts.decidesBilling(position)) continue;
      const cluster = facts.clusterAt(position);
      this.#recent.set(cluster, Math.max(effectiveAt, this.#recent.get(cluster) ?? 0));
    }
    this.#searched = facts.head;
  }

  #changes(now: Instant): Map<AccountNumber, Change[]> {
    const { owners } = this.#sources;
    const changes = new Map<AccountNumber, Change[]>();
    for (const [cluster, at] of this.#recent) {
      if (at <= now - DAY_MS) {
        this.#recent.delete(cluster);
        continue;
      }
      for (const account of owners.ownersOf(cluster)) {
        const difference = this.#billed(cluster, account, now) - this.#billed(cluster, account, now - DAY_MS);
        if (difference === 0) continue;
        const known = changes.get(account);
        const change = { at, difference: difference as Change['difference'] };
        if (known === undefined) changes.set(account, [change]);
        else known.push(change);
      }
    }
    return changes;
  }

  #jumpOf(account: AccountNumber, changes: Change[], now: Instant): CountJump | undefined {
    const difference = changes.reduce((sum, change) => sum + change.difference, 0);
    if (Math.abs(difference) < MIN_CLUSTERS) return undefined;
    const before = this.#countUpTo(2 * Math.abs(difference), account, now - DAY_MS);
    const isJump = (moved: number) => Math.abs(moved) >= MIN_CLUSTERS && 2 * Math.abs(moved) > before;
    if (!isJump(difference)) return undefined;
    let since: Instant | undefined;
    let moved = 0;
    for (const change of changes.sort((a, b) => a.at - b.at)) {
      moved += change.difference;
      since = isJump(moved) ? (since ?? change.at) : undefined;
    }
    return { account, since: since ?? now, before, after: before + difference };
  }

  /** Counts the clusters that are billed to an account at an instant, up to a limit. */
  #countUpTo(limit: number, account: AccountNumber, at: Instant): number {
    let count = 0;
    for (const cluster of this.#sources.owners.clustersOf(account)) {
      count += this.#billed(cluster, account, at);
      if (count >= limit) break;
    }
    return count;
  }

  #billed(cluster: ClusterNumber, account: AccountNumber, at: Instant): 0 | 1 {
    return this.#sources.billing.billedAt(cluster, at).billed?.account === account ? 1 : 0;
  }
}
