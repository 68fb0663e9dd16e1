import type { SwitchPreviewOut, TransferPreviewOut, VoidPreviewOut } from '../../src/api/corrections.ts';
import { path, request } from './request.ts';

/** The effect of a change on each account and period. */
export type Effects = TransferPreviewOut['accounts'];

/** A change of a cluster that an operator makes: where it is posted, and its fields. */
export interface Change {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export const stopBilling = (clusterId: string, fields: Change['body']): Change => ({
  path: path`/v1/clusters/${clusterId}/billing-stops`,
  body: fields,
});
export const resumeBilling = (clusterId: string, fields: Change['body']): Change => ({
  path: path`/v1/clusters/${clusterId}/billing-resumptions`,
  body: fields,
});
export const transferCluster = (clusterId: string, fields: Change['body']): Change => ({
  path: path`/v1/clusters/${clusterId}/transfers`,
  body: fields,
});
export const voidFact = (eventId: string, fields: Change['body']): Change => ({
  path: path`/v1/events/${eventId}/void`,
  body: fields,
});

/** The effect that a change would have; nothing is written. */
export type Preview = SwitchPreviewOut | TransferPreviewOut | VoidPreviewOut;

export function previewChange({ path: target, body }: Change): Promise<Preview> {
  return request(target, { method: 'POST', body: { ...body, dryRun: true } });
}

export function makeChange({ path: target, body }: Change): Promise<unknown> {
  return request(target, { method: 'POST', body });
}
