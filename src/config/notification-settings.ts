import { z } from 'zod';
import { SEVERITIES } from '../domain/alert.ts';

const Channel = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be 1 to 32 of a-z 0-9 - and begin with a letter or digit'),
  type: z.enum(['slack', 'alertmanager']),
  url: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }),
  minSeverity: z.enum(SEVERITIES).default('warning'),
});

/** The channels that alerts are sent to. */
export const NotificationSettings = z
  .array(Channel)
  .max(20)
  .refine((channels) => new Set(channels.map(({ name }) => name)).size === channels.length, {
    error: 'must have different names',
  })
  .default([])
  .describe(
    'The channels that alerts are sent to, a list: `name`, `type` (`slack` for an incoming webhook of Slack or a compatible service, `alertmanager`), `url`, and `minSeverity` (`critical`, `warning`, `info`; default `warning`).',
  );
export type NotificationSettings = z.output<typeof NotificationSettings>;
