import { z } from 'zod';
import { PricePerHour } from './domain/kubefirst/cluster-usage.ts';
import { KubefirstPolicy } from './domain/kubefirst/policy.ts';
import type { KubefirstRooms } from './http/app.ts';
import { asPostedEvent } from './http/cloud-event.ts';
import { KubefirstIntake } from './ledger/kubefirst-intake.ts';
import type { Ledger } from './ledger/ledger.ts';
import { KubefirstClusters } from './projections/kubefirst-clusters.ts';
import type { Projections } from './projections/projections.ts';

/** How Kubefirst is listened to. */
export const KubefirstSettings = z.strictObject({
  ...KubefirstPolicy.shape,
  /** What telemetry must show as the user name of basic authentication. */
  writeKey: z.string().min(8).max(256).optional(),
  /** The price of a cluster-hour on the billing page; without it no totals are given. */
  pricePerHour: PricePerHour.optional(),
});
export type KubefirstSettings = z.output<typeof KubefirstSettings>;

/** How long a fact is waited for until it is among what is known. */
const PLACE_WAIT_MS = 2_000;

interface Parts {
  readonly ledger: Ledger;
  readonly projections: Projections;
  readonly now: () => number;
}

/** Wires up what listens to Kubefirst. */
export function openKubefirst(
  { ledger, projections, now }: Parts,
  settings: KubefirstSettings,
): KubefirstRooms {
  const { writeKey, pricePerHour, ...policy } = settings;
  const clusters = new KubefirstClusters();
  const view = {
    known: (kubefirstId: string) => clusters.withId(projections.model, kubefirstId),
    placed: (eventId: string) => projections.placed(eventId, PLACE_WAIT_MS),
  };
  const intake = new KubefirstIntake({ ledger, view, policy, asEvent: asPostedEvent, now });
  return { intake, writeKey, pricePerHour, records: undefined };
}
