import { Button, Group, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from './dialog.tsx';
import { Failed } from './states.tsx';

interface ConfirmDialogProps {
  readonly isOpen: boolean;
  readonly title: string;
  /** The text that says what will happen. */
  readonly children: ReactNode;
  /** The button that does it, as a verb. */
  readonly confirm: string;
  /** Whether the change takes something away. */
  readonly isDestructive?: boolean;
  readonly isBusy: boolean;
  readonly canConfirm?: boolean;
  readonly error: unknown;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Asks before a change. Escape and the first button leave everything as it is; focus goes back to where it was. */
export function ConfirmDialog({
  isOpen,
  title,
  children,
  confirm,
  isDestructive = false,
  isBusy,
  canConfirm = true,
  error,
  onConfirm,
  onClose,
}: ConfirmDialogProps) {
  const { t } = useTranslation();
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (canConfirm && !isBusy) onConfirm();
        }}
      >
        <Stack>
          {children}
          {error !== null && <Failed error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('dialog.cancel')}
            </Button>
            <Button
              type="submit"
              loading={isBusy}
              disabled={!canConfirm}
              {...(isDestructive && { color: 'red.9' })}
            >
              {confirm}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
