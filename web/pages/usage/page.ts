import type { Page } from '../page.ts';

export const page: Page = {
  id: 'usage',
  paths: ['/usage'],
  roles: ['auditor', 'billing', 'customer'],
  isInNavigation: true,
  load: () => import('./usage.tsx'),
};
