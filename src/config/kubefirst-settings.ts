import { z } from 'zod';
import { PricePerHour } from '../domain/kubefirst/cluster-usage.ts';
import { KubefirstPolicy } from '../domain/kubefirst/registration.ts';
import { KUBEFIRST_NAMESPACE } from '../kubernetes/management/kubefirst-records.ts';
import { ManagementClusterSettings } from '../kubernetes/settings/credential-settings.ts';

/** The records of Kubefirst that are followed. */
const RecordsSettings = z.strictObject({
  managementCluster: ManagementClusterSettings,
  namespace: z.string().min(1).max(63).default(KUBEFIRST_NAMESPACE),
  /** Names the place: what its records registered is theirs to miss. Never change it. */
  name: z
    .string()
    .regex(/^[a-z0-9-]{1,63}$/, 'must be 1 to 63 of a-z 0-9 -')
    .default('default'),
});

/** How Kubefirst is listened to. */
export const KubefirstSettings = z.strictObject({
  ...KubefirstPolicy.shape,
  /** What telemetry must show as the user name of basic authentication. */
  writeKey: z.string().min(8).max(256).optional(),
  /** The price of a cluster-hour on the billing page; without it no totals are given. */
  pricePerHour: PricePerHour.optional(),
  records: RecordsSettings.optional(),
});
export type KubefirstSettings = z.output<typeof KubefirstSettings>;
