import type { Instant } from '../domain/time.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import type { AccountUsage } from '../projections/queries/account-usage.ts';
import { BoundedMap } from '../util/bounded-map.ts';
import type { Position } from '../util/log-numbers.ts';
import type { Form } from './params/content-negotiation.ts';
import type { headOf } from './params/window-params.ts';
import { tagOf } from './server/etag.ts';

/** Maximum number of accounts whose usage is kept. */
const MAX_ACCOUNTS = 10_000;

/** The usage of an account as JSON, and its ETags. Only the position changes while no fact changes the figures. */
export class AnsweredUsage {
  readonly #before: string;
  readonly #after: string;
  readonly #figures: object | undefined;
  readonly #etags: Partial<Record<Form, string>> = {};

  /** @param figures what decides about an ETag besides the form; by default, that is the whole text. */
  constructor(shared: ReturnType<typeof headOf>, item: AccountUsage, figures: object | undefined) {
    const { position: _, ...head } = shared;
    const { accountId, ...measures } = item;
    this.#before = `${JSON.stringify({ accountId, ...head }).slice(0, -1)},"position":"`;
    this.#after = `",${JSON.stringify(measures).slice(1)}`;
    this.#figures = figures && { ...figures, statementsBegin: shared.statementsBegin, items: [item] };
  }

  jsonAt(position: Position): string {
    return this.#before + position + this.#after;
  }

  etag(form: Form): string | undefined {
    if (this.#figures !== undefined) this.#etags[form] ??= tagOf(JSON.stringify([form, this.#figures]));
    return this.#etags[form];
  }
}

interface Kept {
  readonly answer: AnsweredUsage;
  readonly query: object;
  /** The instant at which the time of the answer has ended. */
  readonly endedAt: Instant;
  /** Position of the last fact that may have changed the figures. */
  readonly changedAt: Position;
  readonly beginning: LedgerModel['beginning'];
}

/**
 * Keeps the answer about the usage of each account that was sent last, if its time has ended, until a fact may change its figures.
 * Without it, formatting the texts and hashing them take a third of the time of an answer.
 */
export class KnownUsage {
  #model: LedgerModel | undefined;
  #kept = new BoundedMap<string, Kept>(MAX_ACCOUNTS);

  /** Returns the answer to a query that does not name a position. @param query the same object as before (`rememberingQueries`). */
  find(model: LedgerModel, accountId: string, query: object, now: Instant): AnsweredUsage | undefined {
    const kept = model === this.#model ? this.#kept.get(accountId) : undefined;
    return kept?.query === query &&
      kept.changedAt === changedAt(model, accountId) &&
      kept.beginning === model.beginning &&
      kept.endedAt <= now
      ? kept.answer
      : undefined;
  }

  /** Keeps an answer. @param asked its query, the instant at which its time has ended, and the position that it is as of. */
  add(
    model: LedgerModel,
    accountId: string,
    asked: { readonly query: object; readonly endedAt: Instant; readonly asOf: Position },
    answer: AnsweredUsage,
  ): void {
    // After a loss of events, another model has other facts at the same positions.
    if (model !== this.#model) this.#kept = new BoundedMap(MAX_ACCOUNTS);
    this.#model = model;
    const { query, endedAt, asOf } = asked;
    const at = changedAt(model, accountId);
    if (at > asOf) return;
    this.#kept.set(accountId, { answer, query, endedAt, changedAt: at, beginning: model.beginning });
  }
}

function changedAt(model: LedgerModel, accountId: string): Position {
  const account = model.accounts.find(accountId);
  return account === undefined ? Number.POSITIVE_INFINITY : model.billingChangedAt(account);
}
