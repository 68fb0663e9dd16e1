import { validate } from 'node-cron';
import { z } from 'zod';

/** Cron expression in UTC: minute, hour, day of the month, month, day of the week, optionally with seconds first. */
export const CronText = z
  .string()
  .refine(
    (text) => /^\S+( \S+){4,5}$/.test(text) && validate(text),
    'must be a cron expression of five fields, or six with seconds first, such as */5 * * * *',
  );
