import { ActionIcon, Group, NativeSelect } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Icon } from './icons.tsx';
import { monthAfter, monthName, monthOf } from './months.ts';

/** Number of months that are offered. Others can be reached with the arrows. */
const OFFERED = 36;

interface PeriodPickerProps {
  readonly value: string;
  readonly onChange: (period: string) => void;
  readonly label?: string;
}

/** The choice of a UTC month, up to the current one. */
export function PeriodPicker({ value, onChange, label }: PeriodPickerProps) {
  const { t, i18n } = useTranslation();
  const current = monthOf(Date.now());
  const months = Array.from({ length: OFFERED }, (_, i) => monthAfter(current, -i));
  if (!months.includes(value)) months.push(value);
  return (
    <Group gap={4} align="flex-end" wrap="nowrap">
      <ActionIcon
        variant="default"
        size={36}
        aria-label={t('pick.previousMonth')}
        onClick={() => onChange(monthAfter(value, -1))}
      >
        <Icon name="back" size={16} />
      </ActionIcon>
      <NativeSelect
        label={label ?? t('pick.period')}
        value={value}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
        data={months.sort().map((month) => ({ value: month, label: monthName(month, i18n.language) }))}
      />
      <ActionIcon
        variant="default"
        size={36}
        aria-label={t('pick.nextMonth')}
        disabled={value >= current}
        onClick={() => onChange(monthAfter(value, 1))}
      >
        <Icon name="forward" size={16} />
      </ActionIcon>
    </Group>
  );
}
