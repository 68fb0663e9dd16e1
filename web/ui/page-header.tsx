import { Group, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

interface PageHeaderProps {
  readonly title: ReactNode;
  /** One sentence about the page or its subject. */
  readonly lead?: ReactNode;
  readonly actions?: ReactNode;
}

/** The heading of a page, and what can be done with the whole page. */
export function PageHeader({ title, lead, actions }: PageHeaderProps) {
  return (
    <Group justify="space-between" align="flex-start" mb="md" gap="sm">
      <div className="breakable">
        <Title order={1} className="name">
          {title}
        </Title>
        {lead !== undefined && (
          <Text component="div" c="dimmed" size="sm" mt={2}>
            {lead}
          </Text>
        )}
      </div>
      {actions !== undefined && <Group gap="xs">{actions}</Group>}
    </Group>
  );
}
