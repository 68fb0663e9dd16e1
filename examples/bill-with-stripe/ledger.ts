import type { Statement } from './charges.ts';

/** Reads statements and accounts from the ledger, page by page. */
export class Ledger {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param token an API key with the role `billing`; not needed by a ledger without keys. */
  constructor(url: string, token: string | undefined) {
    this.#url = url.replace(/\/$/, '');
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** Returns the closed periods from `first` on, such as `2026-09`, in order. */
  async closedPeriods(first: string): Promise<string[]> {
    const closed: string[] = [];
    for await (const { period, state } of this.#list<{ period: string; state: string }>('/v1/periods'))
      if (state === 'closed' && period >= first) closed.push(period);
    return closed.sort();
  }

  statements(period: string): AsyncGenerator<Statement> {
    return this.#list(`/v1/periods/${period}/statements`);
  }

  /** Returns the customer at Stripe of each account that has one in its external ids. */
  async customers(): Promise<Map<string, string>> {
    const customers = new Map<string, string>();
    type Account = { accountId: string; externalIds?: Record<string, string> };
    for await (const { accountId, externalIds } of this.#list<Account>('/v1/accounts'))
      if (externalIds?.['stripe'] !== undefined) customers.set(accountId, externalIds['stripe']);
    return customers;
  }

  async *#list<T>(path: string): AsyncGenerator<T> {
    for (let cursor = ''; ; ) {
      const query = cursor === '' ? '' : `?cursor=${encodeURIComponent(cursor)}`;
      const url = this.#url + path + query;
      const answer = await fetch(url, { headers: this.#headers }).catch((error: Error) => {
        throw new Error(`the ledger at ${this.#url} cannot be reached: ${error.cause ?? error.message}`);
      });
      if (!answer.ok)
        throw new Error(`the ledger answers ${answer.status} to ${path}: ${await answer.text()}`);
      const { items, next } = (await answer.json()) as { items: T[]; next?: string };
      yield* items;
      if (next === undefined) return;
      cursor = next;
    }
  }
}
