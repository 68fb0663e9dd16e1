import { createHash } from 'node:crypto';

/** What the charges need of a statement, as `GET /v1/periods/{period}/statements` answers it. */
export interface Statement {
  readonly statementId: string;
  readonly accountId: string;
  readonly period: string;
  readonly total: {
    readonly byType: readonly { readonly clusterType: string | null; readonly clusterSeconds: string }[];
  };
}

/** What an account is charged for its clusters of one type in one period. */
export interface Charge {
  /** Identifies the charge at Stripe: at most 100 characters, the same in every run. */
  readonly identifier: string;
  readonly accountId: string;
  readonly period: string;
  /** Null for clusters without a type. */
  readonly clusterType: string | null;
  /** Cluster time in milliseconds, more than 0: the total of the statement, less what was carried over. */
  readonly milliseconds: bigint;
}

/**
 * Makes charges of statements. A total can be negative, because facts that arrived late reduced an earlier period. Stripe would
 * charge 0 and forget the rest. Therefore the rest is carried over, and reduces the next charges of the account for this type.
 */
export class Charges {
  /** Milliseconds that are carried over, by account and type: 0 or less. */
  readonly #carried = new Map<string, bigint>();

  /** Returns the charges of a statement. Statements must be given in the order of their periods, each once. */
  of({ statementId, accountId, period, total }: Statement): Charge[] {
    const charges: Charge[] = [];
    for (const { clusterType, clusterSeconds } of total.byType) {
      const key = JSON.stringify([accountId, clusterType]);
      const due = millisecondsOf(clusterSeconds) + (this.#carried.get(key) ?? 0n);
      this.#carried.set(key, due < 0n ? due : 0n);
      if (due <= 0n) continue;
      const identifier = `${statementId}_${digestOf(clusterType)}`;
      charges.push({ identifier, accountId, period, clusterType, milliseconds: due });
    }
    return charges;
  }
}

/** Seconds with 3 decimal places, as the ledger writes them, in milliseconds. No digit is lost. */
function millisecondsOf(seconds: string): bigint {
  if (!/^-?\d+\.\d{3}$/.test(seconds)) throw new Error(`not an amount of seconds: ${seconds}`);
  return BigInt(seconds.replace('.', ''));
}

/** A type can have any characters; its digest fits into every identifier. */
function digestOf(clusterType: string | null): string {
  return createHash('sha256').update(JSON.stringify(clusterType)).digest('hex').slice(0, 16);
}
