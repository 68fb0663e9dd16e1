import type { Page } from '../page.ts';

export const page: Page = {
  id: 'replay',
  paths: ['/replay'],
  roles: ['auditor', 'customer'],
  isInNavigation: true,
  load: () => import('./replay.tsx'),
};
