import { WebhookOut } from '../../api/webhooks.ts';
import { webhookDetails } from '../render/webhook-text.ts';
import type { Output } from '../terminal/output.ts';
import { type Client, path } from './client.ts';
import { type FormatOptions, fetchJson, printAnswer } from './requests.ts';

/** Enables or disables a webhook, and prints it. Its other settings stay as they are. @throws CliError */
export async function switchWebhook(
  client: Client,
  out: Output,
  id: string,
  enabled: boolean,
  options: FormatOptions,
): Promise<void> {
  const resource = path`/v1/webhooks/${id}`;
  const { url, description, types } = await fetchJson(client, { path: resource }, WebhookOut);
  const body = { url, description, types, enabled };
  await printAnswer(client, out, options, { method: 'PUT', path: resource, body }, WebhookOut, (answer) =>
    out.details(webhookDetails(answer)),
  );
}
