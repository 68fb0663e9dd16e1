import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

const Modal = lazy(() => import('./modal.tsx'));

interface DialogProps {
  readonly isOpen?: boolean;
  readonly title: ReactNode;
  readonly size?: 'md' | 'lg' | 'xl';
  /** Whether a click beside the dialog leaves it open, because something in it would be lost. */
  readonly isKept?: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A dialog in front of the page. Escape closes it, and the focus goes back to where it was. */
export function Dialog({
  isOpen = true,
  title,
  size = 'md',
  isKept = false,
  onClose,
  children,
}: DialogProps) {
  const { t } = useTranslation();
  const [wasOpened, setWasOpened] = useState(isOpen);
  if (isOpen && !wasOpened) setWasOpened(true);
  useEffect(() => {
    if (!isOpen) return;
    // Remembered before the dialog is loaded, which takes the focus.
    const { activeElement } = document;
    return () => {
      if (activeElement instanceof HTMLElement && activeElement.isConnected) activeElement.focus();
    };
  }, [isOpen]);
  useEffect(() => {
    if (!isOpen) return;
    // A button that is disabled while it works loses the focus, and the next Tab would lead to the page behind the dialog.
    const keepFocus = (event: KeyboardEvent) => {
      if (event.key !== 'Tab' || document.activeElement !== document.body) return;
      event.preventDefault();
      document.querySelector<HTMLElement>('[role=dialog]')?.focus();
    };
    document.addEventListener('keydown', keepFocus);
    return () => document.removeEventListener('keydown', keepFocus);
  }, [isOpen]);
  if (!wasOpened) return null;
  return (
    <Suspense>
      <Modal
        opened={isOpen}
        onClose={onClose}
        title={title}
        size={size}
        closeOnClickOutside={!isKept}
        closeButtonProps={{ 'aria-label': t('dialog.close') }}
      >
        {children}
      </Modal>
    </Suspense>
  );
}
