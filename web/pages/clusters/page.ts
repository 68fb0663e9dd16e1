import type { Page } from '../page.ts';

export const page: Page = {
  id: 'clusters',
  paths: ['/clusters'],
  roles: ['auditor', 'customer'],
  isInNavigation: true,
  load: () => import('./clusters.tsx'),
};
