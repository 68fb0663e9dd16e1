import type { Dispatcher } from 'undici';
import type { Severity } from '../../domain/alert.ts';
import { ALERT_RESOLVED } from '../../domain/stream-table.ts';
import type { Instant } from '../../domain/time.ts';
import type { Handled } from '../groups/consumer-group.ts';
import { post } from '../http-sender.ts';
import type { Change } from './alert-announcer.ts';
import type { Notice } from './notices.ts';

/** Settings of a channel. */
export interface ChannelOptions {
  readonly name: string;
  readonly type: 'slack' | 'alertmanager';
  readonly url: string;
  readonly minSeverity: Severity;
}

/** A place where people see alerts. */
export interface Channel extends ChannelOptions {
  /** Sends one change. Never throws. */
  send(change: Change, signal: AbortSignal): Promise<Handled>;
  /** Sends all open alerts again; only channels that forget alerts need it. */
  repeat?(open: readonly Notice[], signal: AbortSignal): Promise<Handled>;
}

const JSON_HEADERS = { 'content-type': 'application/json' };

export function openChannel(options: ChannelOptions, dispatcher: Dispatcher, now: () => Instant): Channel {
  const sendJson = (url: string, body: unknown, signal: AbortSignal) =>
    post({ url, headers: JSON_HEADERS, body: JSON.stringify(body) }, dispatcher, now, signal);
  if (options.type === 'slack')
    return {
      ...options,
      send: (change, signal) => sendJson(options.url, { text: slackText(change) }, signal),
    };
  const url = `${options.url.replace(/\/+$/, '')}/api/v2/alerts`;
  return {
    ...options,
    send: ({ notice }, signal) => sendJson(url, [toAlertmanager(notice)], signal),
    repeat: (open, signal) => sendJson(url, open.map(toAlertmanager), signal),
  };
}

const SYMBOLS: Readonly<Record<Severity, string>> = {
  critical: ':rotating_light:',
  warning: ':warning:',
  info: ':information_source:',
};

/** Returns the text of an incoming webhook of Slack, in its format mrkdwn. Mattermost, Rocket.Chat and others accept it too. */
function slackText({ type, notice: { severity, kind, happened, bill, next } }: Change): string {
  const what = `*${kind}*: ${escapeSlack(happened)}`;
  if (type === ALERT_RESOLVED) return `:white_check_mark: resolved ${what}`;
  return [
    `${SYMBOLS[severity]} ${severity} ${what}`,
    `Effect on the bill: ${escapeSlack(bill)}`,
    `What to do: ${escapeSlack(next)}`,
  ].join('\n');
}

/** Slack reads `&`, `<` and `>` as control characters, with which a name could mention everybody in the channel. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Returns an alert as version 2 of the API of Alertmanager takes it. */
function toAlertmanager(notice: Notice) {
  const { kind, severity, subject, clusterId, accountId, raisedAt, resolvedAt, happened, bill, next } =
    notice;
  return {
    labels: {
      alertname: kind,
      severity,
      subject,
      ...(clusterId !== undefined && { cluster: clusterId }),
      ...(accountId !== undefined && { account: accountId }),
      service: 'cluster-ledger',
    },
    annotations: { summary: happened, effect: bill, action: next },
    startsAt: raisedAt,
    ...(resolvedAt !== undefined && { endsAt: resolvedAt }),
  };
}
