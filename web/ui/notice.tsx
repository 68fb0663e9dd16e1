import { Box, Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { type Severity, SeverityIcon } from './icons.tsx';

interface NoticeProps {
  readonly title: string;
  readonly severity?: Severity;
  /** The id of a request, or another detail for support. */
  readonly detail?: ReactNode;
  readonly action?: ReactNode;
  readonly children?: ReactNode;
}

/** A message in place of content, or above it. Errors and warnings are announced. */
export function Notice({ title, severity = 'info', detail, action, children }: NoticeProps) {
  return (
    <Box className="notice" data-severity={severity} role={severity === 'info' ? 'status' : 'alert'} p="md">
      <Group align="flex-start" wrap="nowrap" gap="sm">
        <SeverityIcon severity={severity} />
        <Stack gap={6} style={{ minWidth: 0 }}>
          <Text fw={600} className="breakable">
            {title}
          </Text>
          {children !== undefined && (
            <Text component="div" size="sm" className="breakable">
              {children}
            </Text>
          )}
          {detail !== undefined && (
            <Text component="div" size="xs" c="dimmed" className="breakable">
              {detail}
            </Text>
          )}
          {action !== undefined && <Group mt={4}>{action}</Group>}
        </Stack>
      </Group>
    </Box>
  );
}
