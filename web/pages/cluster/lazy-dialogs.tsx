import i18next from 'i18next';
import { type ComponentProps, lazy, Suspense } from 'react';

/** Dialogs are loaded when they are opened, with their texts, which other pages do not have yet. */
const texts = () => i18next.loadNamespaces('cluster');
const LazyDelete = lazy(async () => {
  const [{ DeleteDialog: component }] = await Promise.all([import('./delete-dialog.tsx'), texts()]);
  return { default: component };
});
const LazyChange = lazy(async () => {
  const [{ ChangeDialog: component }] = await Promise.all([import('./change-dialog.tsx'), texts()]);
  return { default: component };
});

export function DeleteDialog(props: ComponentProps<typeof LazyDelete>) {
  return (
    <Suspense>
      <LazyDelete {...props} />
    </Suspense>
  );
}

export function ChangeDialog(props: ComponentProps<typeof LazyChange>) {
  return (
    <Suspense>
      <LazyChange {...props} />
    </Suspense>
  );
}
