import type { Page } from '../page.ts';

export const page: Page = {
  id: 'deletions',
  paths: ['/deletions'],
  roles: ['auditor', 'customer'],
  isInNavigation: true,
  load: () => import('./deletions.tsx'),
};
