import { Button, Code, Stack } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from './icons.tsx';

interface CopyTextProps {
  readonly text: string;
  /** Name of the text for screen readers. */
  readonly label: string;
}

/** A text to copy, such as a key or raw JSON. It scrolls inside of its box. */
export function CopyText({ text, label }: CopyTextProps) {
  const { t } = useTranslation();
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  const copy = () =>
    // Browsers offer the clipboard only with https and on this machine.
    (navigator.clipboard?.writeText(text) ?? Promise.reject(new Error())).then(
      () => setState('copied'),
      () => setState('failed'),
    );
  return (
    <Stack gap={6} align="flex-start">
      <section
        className="copy-text"
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
        tabIndex={0}
      >
        <Code block>{text}</Code>
      </section>
      <Button
        variant="default"
        size="xs"
        leftSection={<Icon name="copy" size={16} />}
        onClick={() => void copy()}
      >
        {t(`copy.${state}`)}
      </Button>
    </Stack>
  );
}
