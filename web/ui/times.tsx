import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

type At = string | number | Date;

const SECOND = 1_000;
const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** Returns a time in UTC with seconds, such as `2026-04-15 12:00:00 UTC`. */
export function utcText(at: At): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** Returns the text of a time in the zone of the viewer. */
function localText(at: At, language: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(language, options).format(new Date(at));
}

interface InstantProps {
  readonly at: At;
  /** Whether to show the day alone, the seconds too, or neither. */
  readonly precision?: 'day' | 'minute' | 'second';
}

/** A time in the zone of the viewer, and in UTC when pointed at. Not for the ends of billing windows: see `BillingWindow`. */
export function Instant({ at, precision = 'minute' }: InstantProps) {
  const { i18n } = useTranslation();
  const options: Intl.DateTimeFormatOptions =
    precision === 'day'
      ? { dateStyle: 'medium' }
      : { dateStyle: 'medium', timeStyle: precision === 'minute' ? 'short' : 'medium' };
  return (
    <time dateTime={new Date(at).toISOString()} title={utcText(at)}>
      {localText(at, i18n.language, options)}
    </time>
  );
}

/** A billing window: in UTC, and labelled so. A window that has not ended has no `to`. */
export function BillingWindow({ from, to }: { readonly from: At; readonly to?: At | null }) {
  const { t } = useTranslation();
  const text = (at: At) =>
    utcText(at)
      .replace(/:00 UTC$/, '')
      .replace(' UTC', '');
  return (
    <span className="figure">
      <time dateTime={new Date(from).toISOString()}>{text(from)}</time>
      {' – '}
      {to === undefined || to === null ? (
        t('time.open')
      ) : (
        <time dateTime={new Date(to).toISOString()}>{text(to)}</time>
      )}
      {' UTC'}
    </span>
  );
}

/** Returns the current time, which changes every `everyMs`. */
export function useNow(everyMs = 10 * SECOND): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** How long ago something was, such as "3 minutes ago"; the time itself when pointed at. */
export function Age({ at }: { readonly at: At }) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const ago = now - new Date(at).getTime();
  const unit = UNITS.find(([, ms]) => Math.abs(ago) >= ms);
  const text =
    unit === undefined
      ? t('time.justNow')
      : new Intl.RelativeTimeFormat(i18n.language, { numeric: 'always' }).format(
          -Math.trunc(ago / unit[1]),
          unit[0],
        );
  return (
    <time dateTime={new Date(at).toISOString()} title={utcText(at)}>
      {text}
    </time>
  );
}
