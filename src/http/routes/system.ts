import { SystemOut } from '../../api/system.ts';
import { RULES_VERSION } from '../../domain/billing/statement.ts';
import { type Policy, policiesOf } from '../../domain/validation/judging/policy.ts';
import { shardName } from '../../domain/validation/records/run-record.ts';
import { answer, problemResponses } from '../contract.ts';
import type { App, HttpServices } from '../server/app.ts';

const schema = {
  operationId: 'getSystem',
  tags: ['Operations'],
  summary: 'Get the version of the ledger, where its log stands, and how it judges clusters',
  description: 'Settings are shown as they are in force. Secrets are not among them.',
  response: { 200: answer('The ledger.', SystemOut), ...problemResponses },
};

/** Adds the route that describes the ledger that answers. */
export function systemRoutes(app: App, services: HttpServices): void {
  const { configured } = services;
  const { fallback, exceptions, breaker } = policiesOf(configured.validator.policy);
  const policies = [
    ...exceptions.map(({ match, policy }) => ({ ...policyOut(policy), match: matchOut(match) })),
    policyOut(fallback),
  ];

  app.get('/v1/system', { config: { access: { auditor: 'all' } }, schema }, async (): Promise<SystemOut> => {
    const { signedLog, projections, version, deletionMode, graceMs, validator } = services;
    return {
      version,
      nodeVersion: process.versions.node,
      rules: RULES_VERSION,
      store: configured.store.kind === 'esdb' ? 'eventstoredb' : 'sqlite',
      log: {
        origin: signedLog.origin,
        position: String(projections.model.position),
        signed: signedLog.newest()?.size ?? 0,
      },
      deletionMode,
      graceMs,
      backdatingMs: configured.backdatingMs,
      autoClose: configured.autoClose.enabled,
      validator: {
        isConfigured: validator !== undefined,
        schedule: configured.validator.schedule,
        shard: shardName(configured.validator.shard),
        policies,
        breaker: {
          ratio: String(breaker.outageRatio / 1_000),
          minClusters: breaker.outageMinClusters,
          windowMs: breaker.outageWindow,
          canaries: [...breaker.canaries],
        },
      },
    };
  });
}

type PolicyOut = SystemOut['validator']['policies'][number];

function policyOut(policy: Policy): PolicyOut {
  const { policy: name, unreachableFor, stopAfter, watchDeletedFor, ...rest } = policy;
  return {
    name,
    ...rest,
    unreachableForMs: unreachableFor,
    stopAfterMs: stopAfter,
    watchDeletedForMs: watchDeletedFor,
  };
}

function matchOut({
  accounts,
  labels,
}: {
  readonly accounts?: readonly string[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}): NonNullable<PolicyOut['match']> {
  return {
    ...(accounts !== undefined && { accounts: [...accounts] }),
    ...(labels !== undefined && { labels: { ...labels } }),
  };
}
