import { z } from 'zod';
import { AccountOut } from '../../api/accounts.ts';
import { Next } from '../../api/values.ts';
import { AccountProfile, useOfLimits } from '../../domain/account-profile.ts';
import { ownerAt } from '../../domain/billing/billing.ts';
import { compareTypes } from '../../domain/billing/usage-meter.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { VISIBLE_TIMEOUT_MS } from '../../projections/wait-limits.ts';
import { compareCodeUnits } from '../../util/compare-code-units.ts';
import { yieldingToEventLoop } from '../../util/event-loop-yielder.ts';
import { answer, problemResponses, problems } from '../contract.ts';
import { AccountPath, Paging, Reading } from '../params/fields.ts';
import { type Moment, openPage, pageOf } from '../params/paging.ts';
import { modelFor, modelForPage } from '../params/read-model.ts';
import type { App, HttpServices } from '../server/app.ts';
import { Problem } from '../server/problem.ts';

const tags = ['Accounts'];

const listSchema = {
  operationId: 'listAccounts',
  tags,
  summary: 'List the accounts that own a cluster or have a profile, in order of their ids',
  description: 'Accounts that own deleted clusters only are listed too.',
  querystring: z.strictObject({ ...Paging, ...Reading }),
  response: {
    200: answer('A page of the accounts.', z.strictObject({ items: z.array(AccountOut), ...Next })),
    ...problemResponses,
  },
};

const getSchema = {
  operationId: 'getAccount',
  tags,
  summary: 'Get an account: its profile, its billed clusters and the use of its limits',
  description: 'An account exists if it ever owned a cluster or has a profile.',
  params: AccountPath,
  querystring: z.strictObject({ ...Reading }),
  response: { 200: answer('The account.', AccountOut), ...problems('not-found') },
};

const putSchema = {
  operationId: 'describeAccount',
  tags,
  summary: 'Set the profile of an account',
  description:
    'Replaces the whole profile. The profile has no effect on billing. Setting the same profile again changes nothing.',
  params: AccountPath,
  body: AccountProfile,
  response: {
    200: answer('The account with its new profile.', AccountOut),
    ...problemResponses,
  },
};

/** Adds the routes that read accounts and set their profiles. An account exists if it owned a cluster or has a profile. */
export function accountRoutes(app: App, services: HttpServices): void {
  app.get(
    '/v1/accounts',
    { config: { access: { billing: 'all', auditor: 'all' } }, schema: listSchema },
    async (request, reply) => {
      const { query } = request;
      const page = openPage(request, 'text');
      const { model, moment } = await modelForPage(services, page, query, reply);
      const [after] = page.after ?? [];
      const ids = new Set([...model.accounts.texts, ...model.profiles.accountIds]);
      const sorted = [...ids].filter((id) => isKnownAt(model, id, moment)).sort(compareCodeUnits);
      const isAfter = (id: string) => after === undefined || id > after;
      const { items, last } = pageOf(sorted, query.limit, isAfter, (id) => [id]);
      const accounts: AccountOut[] = [];
      const each = items.values().map((accountId) => accountOut(model, accountId, moment));
      for await (const account of yieldingToEventLoop(each)) accounts.push(account);
      return { items: accounts, ...page.next(last, moment) };
    },
  );

  app.get(
    '/v1/accounts/:accountId',
    { config: { access: { billing: 'all', auditor: 'all', customer: 'own' } }, schema: getSchema },
    async ({ params: { accountId }, query }, reply) => {
      const model = await modelFor(services.projections, query, reply);
      if (model.accounts.find(accountId) === undefined && model.profiles.of(accountId) === undefined)
        throw new Problem('not-found', `account ${accountId} owns no cluster and has no profile`);
      return accountOut(model, accountId, { position: model.position, now: services.now() });
    },
  );

  app.put(
    '/v1/accounts/:accountId',
    { config: { access: {} }, schema: putSchema },
    async ({ params: { accountId }, body, caller }, reply) => {
      await modelFor(services.projections, {}, reply);
      const { projections, decisions } = services;
      const known = projections.model.profiles.of(accountId)?.profile;
      if (JSON.stringify(inOrder(known)) !== JSON.stringify(inOrder(body))) {
        const eventId = await decisions.describeAccount(accountId, body, caller.actor);
        await projections.waitForEvent(eventId, VISIBLE_TIMEOUT_MS);
      }
      const { model } = projections;
      reply.header('ledger-position', String(model.position));
      return accountOut(model, accountId, { position: model.position, now: services.now() });
    },
  );
}

/** Returns whether an account owned a cluster or had a profile, as known at the moment of a page. */
function isKnownAt(model: LedgerModel, accountId: string, { position }: Moment): boolean {
  if (position === model.position) return true;
  const described = model.profiles.of(accountId)?.position;
  return (
    (described !== undefined && described <= position) || model.clustersEverOf(accountId, position).length > 0
  );
}

function accountOut(model: LedgerModel, accountId: string, { position, now }: Moment): AccountOut {
  const account = model.accounts.find(accountId);
  const clusters = account === undefined ? [] : model.clustersOf(account);
  const owned = clusters.filter((cluster) => ownerAt(model.billing(cluster, position), now) === accountId);
  const billed = billedByType(model, accountId, { position, now });
  const profile = model.profiles.of(accountId)?.profile ?? {};
  return {
    accountId,
    ...profile,
    clusters: owned.length,
    billedNow: billed.values().reduce((sum, count) => sum + count, 0),
    billedByType: Array.from(billed, ([clusterType, count]) => ({ clusterType, billed: count })).sort(
      (a, b) => compareTypes(a.clusterType, b.clusterType),
    ),
    ...(profile.limits !== undefined && { limitUse: useOfLimits(profile.limits, billed) }),
  };
}

/** Returns how many clusters of each type are billed to an account at a moment. */
function billedByType(model: LedgerModel, accountId: string, { position, now }: Moment) {
  if (position === model.position) return model.billedByType(accountId, now);
  const billed = new Map<string | null, number>();
  const account = model.accounts.find(accountId);
  for (const cluster of account === undefined ? [] : model.clustersOf(account)) {
    const interval = model
      .intervals(cluster, position)
      .find(({ from, to }) => from <= now && (to === null || now < to));
    if (interval?.accountId !== accountId) continue;
    billed.set(interval.clusterType, (billed.get(interval.clusterType) ?? 0) + 1);
  }
  return billed;
}

/** A profile with the members of every object in one order, for comparison. */
function inOrder(profile: AccountProfile | undefined): unknown {
  if (profile === undefined) return undefined;
  const sorted = (entries: Readonly<Record<string, unknown>> | undefined) =>
    entries === undefined ? null : Object.entries(entries).sort(([a], [b]) => compareCodeUnits(a, b));
  return [profile.name ?? null, sorted(profile.externalIds), sorted(profile.limits)];
}
