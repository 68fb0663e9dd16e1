import { useTranslation } from 'react-i18next';

const MILLISECONDS_PER = { day: 86_400_000n, hour: 3_600_000n, minute: 60_000n, second: 1_000n } as const;

/** Returns the milliseconds of an amount of seconds as the ledger writes it, such as `12.345`. */
export function millisecondsOf(seconds: string): bigint {
  const [, sign = '', whole = '0', part = ''] = /^(-?)(\d+)(?:\.(\d{1,3}))?$/.exec(seconds) ?? [];
  const amount = BigInt(whole) * 1_000n + BigInt(part.padEnd(3, '0'));
  return sign === '-' ? -amount : amount;
}

/** Returns an exact amount of milliseconds as the ledger writes seconds, such as `12.345`. */
export function secondsOf(milliseconds: bigint): string {
  const amount = milliseconds < 0n ? -milliseconds : milliseconds;
  const text = `${amount / 1_000n}.${String(amount % 1_000n).padStart(3, '0')}`;
  return milliseconds < 0n ? `-${text}` : text;
}

/** Returns the exact sum of amounts of seconds. */
export function sumOfSeconds(amounts: readonly string[]): string {
  return secondsOf(amounts.reduce((sum, seconds) => sum + millisecondsOf(seconds), 0n));
}

/** Seconds as the ledger writes them, with all 3 places, and with separators of the language. */
export function Seconds({
  value,
  isSigned = false,
}: {
  readonly value: string;
  readonly isSigned?: boolean;
}) {
  const { t, i18n } = useTranslation();
  const total = millisecondsOf(value);
  const amount = total < 0n ? -total : total;
  const whole = new Intl.NumberFormat(i18n.language).format(amount / 1_000n);
  const sign = total < 0n ? '−' : isSigned && total > 0n ? '+' : '';
  return (
    <span className="figure">
      {t('duration.second', { amount: `${sign}${whole}.${String(amount % 1_000n).padStart(3, '0')}` })}
    </span>
  );
}

/** A count with its sign, for differences. */
export function SignedCount({ value }: { readonly value: number }) {
  const { i18n } = useTranslation();
  const text = new Intl.NumberFormat(i18n.language, { signDisplay: 'exceptZero' }).format(value);
  return <span className="figure">{text.replace('-', '−')}</span>;
}

/** A count, with separators of the language and tabular figures. */
export function Count({ value }: { readonly value: number | string | bigint }) {
  const { i18n } = useTranslation();
  const exact = typeof value === 'string' ? BigInt(value) : value;
  return <span className="figure">{new Intl.NumberFormat(i18n.language).format(exact)}</span>;
}

interface BilledTimeProps {
  /** Seconds as the ledger writes them: a decimal text with 3 places, maybe negative. */
  readonly seconds: string;
  /** Whether a plus is shown too, for differences. */
  readonly isSigned?: boolean;
}

/** Billed time, exact to the millisecond: days, hours, minutes and seconds; the seconds of the ledger when pointed at. */
export function BilledTime({ seconds, isSigned = false }: BilledTimeProps) {
  const { t, i18n } = useTranslation();
  const total = millisecondsOf(seconds);
  let rest = total < 0n ? -total : total;
  const parts: string[] = [];
  for (const unit of ['day', 'hour', 'minute'] as const) {
    const count = rest / MILLISECONDS_PER[unit];
    rest -= count * MILLISECONDS_PER[unit];
    if (count > 0n)
      parts.push(t(`duration.${unit}`, { amount: new Intl.NumberFormat(i18n.language).format(count) }));
  }
  if (rest > 0n || parts.length === 0) {
    const fraction =
      rest % 1_000n === 0n
        ? ''
        : `.${String(rest % 1_000n)
            .padStart(3, '0')
            .replace(/0+$/, '')}`;
    parts.push(t('duration.second', { amount: `${rest / 1_000n}${fraction}` }));
  }
  const sign = total < 0n ? '−' : isSigned && total > 0n ? '+' : '';
  return (
    <span className="figure" title={t('duration.exact', { seconds })}>
      {sign}
      {parts.join(' ')}
    </span>
  );
}
