import { z } from 'zod';
import { AccountOut } from '../../api/accounts.ts';
import { Next } from '../../api/values.ts';
import { AccountProfile, useOfLimits } from '../../domain/account-profile.ts';
import { ownerAt } from '../../domain/billing/billing.ts';
import { compareTypes } from '../../domain/billing/usage.ts';
import type { Instant } from '../../domain/time.ts';
import type { LedgerModel } from '../../projections/model/ledger-model.ts';
import { VISIBLE_TIMEOUT_MS } from '../../projections/wait-limits.ts';
import { compareCodeUnits } from '../../util/compare-code-units.ts';
import { answer, problemResponses, problems } from '../contract.ts';
import { AccountPath, Paging, Reading } from '../params/fields.ts';
import { decodeCursor, pageOf } from '../params/paging.ts';
import { modelFor } from '../params/read-model.ts';
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
    async ({ query: { limit, cursor, ...query } }, reply) => {
      const model = await modelFor(services.projections, query, reply);
      const [after] = decodeCursor(cursor, 'text') ?? [];
      const ids = [...new Set([...model.accounts.texts, ...model.profiles.accountIds])].sort(
        compareCodeUnits,
      );
      const isAfter = (id: string) => after === undefined || id > after;
      const page = pageOf(ids, limit, isAfter, (id) => [id]);
      return { ...page, items: page.items.map((accountId) => accountOut(model, accountId, services.now())) };
    },
  );

  app.get(
    '/v1/accounts/:accountId',
    { config: { access: { billing: 'all', auditor: 'all', customer: 'own' } }, schema: getSchema },
    async ({ params: { accountId }, query }, reply) => {
      const model = await modelFor(services.projections, query, reply);
      if (model.accounts.find(accountId) === undefined && model.profiles.of(accountId) === undefined)
        throw new Problem('not-found', `account ${accountId} owns no cluster and has no profile`);
      return accountOut(model, accountId, services.now());
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
      reply.header('ledger-position', String(projections.model.position));
      return accountOut(projections.model, accountId, services.now());
    },
  );
}

function accountOut(model: LedgerModel, accountId: string, now: Instant): AccountOut {
  const account = model.accounts.find(accountId);
  const clusters = account === undefined ? [] : model.clustersOf(account);
  const owned = clusters.filter(
    (cluster) => ownerAt(model.billing(cluster, model.position), now) === accountId,
  );
  const billed = model.billedByType(accountId, now);
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

/** A profile with the members of every object in one order, for comparison. */
function inOrder(profile: AccountProfile | undefined): unknown {
  if (profile === undefined) return undefined;
  const sorted = (entries: Readonly<Record<string, unknown>> | undefined) =>
    entries === undefined ? null : Object.entries(entries).sort(([a], [b]) => compareCodeUnits(a, b));
  return [profile.name ?? null, sorted(profile.externalIds), sorted(profile.limits)];
}
