import { z } from 'zod';
import { Duration, PolicySettings } from '../domain/validation/judging/policy.ts';
import { parseShard } from '../domain/validation/records/shard.ts';
import { CronText } from '../jobs/schedule.ts';
import { CredentialSettings } from '../kubernetes/settings/credential-settings.ts';
import { ProberOptions } from '../kubernetes/settings/prober-options.ts';

const { concurrency, deadlineMs, perHost, addresses, allowPlainHttp, dnsServers, workerTimeoutMs, heapMiB } =
  ProberOptions.shape;

/** How the validator asks, when, and what follows from the answers. */
export const ValidatorSettings = z.strictObject({
  schedule: z.union([z.literal('off'), CronText]).default('*/5 * * * *'),
  /** The part of the fleet that this process asks, as `1/1`. */
  shard: z
    .string()
    .transform((text, check) => {
      const shard = parseShard(text);
      if (shard !== undefined) return shard;
      check.addIssue({ code: 'custom', message: 'must be a part and their number, such as 2/3' });
      return z.NEVER;
    })
    .prefault('1/1'),
  /** A run that takes longer counts for nothing; shorter than from one run to the next, so that a crash costs one run. */
  runDeadline: Duration.prefault('270s'),
  policy: PolicySettings.prefault({}),
  credentials: CredentialSettings.prefault({}),
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
    .prefault({}),
});
export type ValidatorSettings = z.output<typeof ValidatorSettings>;
