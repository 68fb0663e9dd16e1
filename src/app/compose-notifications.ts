import type { Config } from '../config/config.ts';
import { type Channel, openChannel } from '../delivery/alerts/channels.ts';
import type { Notice } from '../delivery/alerts/notices.ts';
import { Notifications } from '../delivery/alerts/notifications.ts';
import type { LogTail } from '../delivery/log-tail.ts';
import { alertText } from '../domain/alert.ts';
import { formatInstant } from '../domain/time.ts';
import { type AlertSources, liveAlerts, severityOf } from '../http/alert-view.ts';
import type { Alert } from '../projections/alerts/raised-alert.ts';
import type { ComposeOptions } from './compose-options.ts';
import type { OpenLog } from './open-log.ts';

/** Starts to announce alerts and to send them to the channels of the settings. A read-only ledger does not. */
export async function openNotifications(
  { notifications: channels, announceAlerts }: Config,
  { log, now, monotonic = () => performance.now(), readOnly = false }: ComposeOptions,
  { store, clock, isReadOnly }: OpenLog,
  sources: AlertSources & { readonly tail: LogTail },
  resources: AsyncDisposableStack,
): Promise<Notifications | undefined> {
  if (readOnly || !announceAlerts) return undefined;
  const opened = channels.length === 0 ? [] : await openChannels(channels, now, resources);
  const notifications = new Notifications({
    store,
    tail: sources.tail,
    isReadOnly,
    channels: opened,
    current: () => sources.projections.model.alerts.unresolved(clock.now(), liveAlerts(sources)),
    describe: noticeOf,
    now,
    recordingTime: clock.now,
    monotonic,
    log,
  });
  resources.defer(() => notifications.stop());
  notifications.start();
  return notifications;
}

/** Channels are settings of the operator, so every address is allowed. */
async function openChannels(
  channels: Config['notifications'],
  now: () => number,
  resources: AsyncDisposableStack,
): Promise<Channel[]> {
  const { Agent } = await import('undici');
  const dispatcher = new Agent();
  resources.defer(() => dispatcher.destroy());
  return channels.map((options) => openChannel(options, dispatcher, now));
}

function noticeOf(alert: Alert): Notice {
  const { id, kind, subject, clusterId, accountId, raisedAt, data } = alert;
  return {
    alertId: id,
    kind,
    severity: severityOf(alert),
    subject,
    ...(clusterId !== undefined && { clusterId }),
    ...(accountId !== undefined && { accountId }),
    raisedAt: formatInstant(raisedAt),
    ...alertText(kind, subject, data),
    data: { ...data },
  };
}
