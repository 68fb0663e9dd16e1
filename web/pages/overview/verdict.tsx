import { Anchor, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { Overview } from '../../data/overview.ts';
import { type Severity, SeverityIcon } from '../../ui/icons.tsx';

/** A run of the validator that ended longer ago than this is worth a look, in milliseconds. */
const STALE_MS = 30 * 60_000;
/** Number of events that answers may lack for a moment without anything being wrong. */
const USUAL_LAG = 1_000;

interface Finding {
  readonly severity: Exclude<Severity, 'good'>;
  /** Number of things that are wrong. */
  readonly count: number;
  readonly text: string;
  /** Address of the page that shows more. */
  readonly to: string;
  readonly search?: Readonly<Record<string, string>>;
}

/** Returns what needs attention, the most serious first. */
function useFindings({ alerts, validator, periods, lag, unreadable, at }: Overview): readonly Finding[] {
  const { t } = useTranslation('overview');
  const findings: Finding[] = [];
  for (const severity of ['critical', 'warning'] as const) {
    const count = alerts?.[severity] ?? 0;
    if (count > 0)
      findings.push({
        severity,
        count,
        text: t(`finding.${severity}`, { count }),
        to: '/alerts',
        search: { state: 'open', severity },
      });
  }
  if (unreadable > 0)
    findings.push({
      severity: 'critical',
      count: unreadable,
      text: t('finding.unreadable', { count: unreadable }),
      to: '/clusters',
    });
  if (validator?.breakerOpen === true)
    findings.push({ severity: 'critical', count: 1, text: t('finding.breaker'), to: '/validator' });
  const { lastRunAt } = validator ?? {};
  if (typeof lastRunAt === 'string' && Date.parse(at) - Date.parse(lastRunAt) > STALE_MS)
    findings.push({ severity: 'warning', count: 1, text: t('finding.stale'), to: '/validator' });
  if ((lag?.events ?? 0) > USUAL_LAG)
    findings.push({
      severity: 'warning',
      count: 1,
      text: t('finding.lag', { count: lag?.events ?? 0 }),
      to: '/events',
    });
  if (periods !== undefined && periods.due.length > 0)
    findings.push({
      severity: 'info',
      count: 0,
      text: t('finding.due', { count: periods.due.length, periods: periods.due.join(', ') }),
      to: '/periods',
    });
  return findings.sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}

const ORDER: readonly Severity[] = ['critical', 'warning', 'info'];

/** Answers whether anything is wrong: in one sentence, and with a way to each thing that is. */
export function Verdict({ overview }: { readonly overview: Overview }) {
  const { t } = useTranslation('overview');
  const findings = useFindings(overview);
  const worst = findings[0]?.severity ?? 'good';
  const wrong = findings.reduce((sum, { severity, count }) => sum + (severity === 'info' ? 0 : count), 0);
  return (
    <Paper
      component="section"
      withBorder
      p="md"
      className="verdict"
      data-severity={worst}
      aria-label={t('verdict.label')}
    >
      <Group wrap="nowrap" gap="sm" align="flex-start">
        <SeverityIcon severity={wrong === 0 ? 'good' : worst} size={28} />
        <Stack gap={6} className="breakable">
          <Title order={2}>{wrong === 0 ? t('verdict.good') : t('verdict.wrong', { count: wrong })}</Title>
          {findings.map(({ severity, text, to, search }) => (
            <Group key={text} gap={8} wrap="nowrap" align="center">
              <SeverityIcon severity={severity} size={16} />
              <Anchor component={Link} to={to} search={(search ?? {}) as never} size="sm">
                {text}
              </Anchor>
            </Group>
          ))}
          {findings.length === 0 && (
            <Text size="sm" c="dimmed">
              {t('verdict.goodDetail')}
            </Text>
          )}
        </Stack>
      </Group>
    </Paper>
  );
}
