import type { Page } from '../page.ts';

export const page: Page = {
  id: 'cluster',
  paths: ['/clusters/$clusterId'],
  roles: ['auditor', 'customer'],
  isInNavigation: false,
  load: () => import('./cluster.tsx'),
};
