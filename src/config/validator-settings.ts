import { z } from 'zod';
import { Duration, PolicySettings } from '../domain/validation/judging/policy.ts';
import { parseShard } from '../domain/validation/records/shard.ts';
import { CredentialSettings } from '../kubernetes/settings/credential-settings.ts';
import { ProberOptions } from '../kubernetes/settings/prober-options.ts';
import { CronText } from './cron-text.ts';

const { concurrency, deadlineMs, perHost, addresses, allowPlainHttp, dnsServers, workerTimeoutMs, heapMiB } =
  ProberOptions.shape;

/** Settings of the validator: when and how it probes clusters, and what follows from the verdicts. */
export const ValidatorSettings = z.strictObject({
  schedule: z
    .union([z.literal('off'), CronText])
    .default('*/5 * * * *')
    .describe('When a run probes all clusters, as a cron expression in UTC. `off`: on request only.'),
  shard: z
    .string()
    .transform((text, check) => {
      const shard = parseShard(text);
      if (shard !== undefined) return shard;
      check.addIssue({ code: 'custom', message: 'must be a part and their number, such as 2/3' });
      return z.NEVER;
    })
    .prefault('1/1')
    .describe(
      'Part of the clusters that this process probes: `2/3` is the second of three, divided by a hash of the cluster id.',
    ),
  runDeadline: Duration.prefault('270s').describe(
    'Maximum duration of a run. A run that takes longer is abandoned, and the next one probes all clusters again. Keep it shorter than the interval of the schedule, so that a crash costs one run.',
  ),
  policy: PolicySettings.prefault({}).describe(
    'Thresholds, mode and exceptions: see [the validator](validator.md).',
  ),
  credentials: CredentialSettings.prefault({}).describe(
    'The sources of the credentials that registrations refer to: `directory`, and in the `managementCluster` (`inCluster` or `kubeconfig`), or in several `managementClusters` by name, `argocd`, `clusterApi` and `secrets`. Without a source no cluster is probed.',
  ),
  probe: z
    .strictObject({
      concurrency,
      deadlineMs,
      perHost,
      addresses,
      allowPlainHttp,
      dnsServers,
      workerTimeoutMs,
      heapMiB,
    })
    .prefault({})
    .describe(
      'Number of concurrent probes, deadline of a probe, rate limit per host, and the addresses that probes may connect to.',
    ),
});
export type ValidatorSettings = z.output<typeof ValidatorSettings>;
