import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { callerQuery } from '../data/caller.ts';
import type { Page } from '../pages/page.ts';
import { PageHeader } from '../ui/page-header.tsx';
import { Forbidden } from '../ui/states.tsx';

/** Sets the title of the window, and lets only callers in whose role may see the page. */
export function PageFrame({ page, children }: { readonly page: Page; readonly children: ReactNode }) {
  const { t } = useTranslation(page.id);
  const { t: shell } = useTranslation('shell');
  const { data: caller } = useQuery({ ...callerQuery, enabled: page.isOutsideShell !== true });
  const title = t('title');
  const product = shell('product');
  useEffect(() => {
    document.title = `${title} · ${product}`;
  }, [title, product]);
  const mayOpen =
    page.isOutsideShell === true ||
    caller === undefined ||
    caller.role === 'operator' ||
    page.roles.includes(caller.role);
  if (mayOpen) return children;
  return (
    <>
      <PageHeader title={title} />
      <Forbidden role={caller.role} />
    </>
  );
}
