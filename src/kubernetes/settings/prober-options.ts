import { z } from 'zod';
import { AddressPolicyOptions } from '../../util/address-policy-options.ts';
import { CredentialSettings } from './credential-settings.ts';

/** Options of the prober. The server passes them to the probing process as they are. */
export const ProberOptions = z.strictObject({
  /** Maximum number of concurrent probes. */
  concurrency: z.int().min(1).max(2_000).default(100),
  /** Deadline of one probe in ms. It covers DNS, connection, TLS, requests and a second try. */
  deadlineMs: z.int().min(100).max(60_000).default(10_000),
  /** Rate limit of the connections to one address and port. */
  perHost: z
    .strictObject({
      perSecond: z.number().positive().max(100_000).default(20),
      burst: z.int().min(1).max(100_000).default(20),
    })
    .prefault({}),
  addresses: AddressPolicyOptions.prefault({}),
  /** Whether the server of a kubeconfig may be an `http:` URL. Only tests and the demo need it. */
  allowPlainHttp: z.boolean().default(false),
  /** DNS servers as `ip` or `ip:port`. By default the DNS servers of the machine. */
  dnsServers: z.array(z.string().min(1)).min(1).readonly().optional(),
  /** Domains that are tried for names from inside a cluster, in order: those of the resolver, if the ledger runs in one. */
  searchDomains: z.array(z.string().min(1).max(253)).max(16).readonly().default([]),
  /** The sources of credentials. Only the probing process opens them. */
  credentials: CredentialSettings.prefault({}),
  /** Files and folders that the probing process may read besides its own code and `credentials.directory`. */
  readable: z.array(z.string().min(1)).readonly().default([]),
  /** The whole environment of the probing process, such as KUBERNETES_SERVICE_HOST. */
  environment: z.record(z.string(), z.string()).default({}),
  /** The server kills and replaces a probing process that sends no message for this long, in ms. */
  workerTimeoutMs: z.int().min(1_000).max(600_000).default(10_000),
  /** Maximum heap of the probing process, in MiB. */
  heapMiB: z.int().min(32).max(4_096).default(160),
});
export type ProberOptions = z.output<typeof ProberOptions>;
