import type { Page } from '../page.ts';

export const page: Page = {
  id: 'account',
  paths: ['/accounts', '/accounts/$accountId'],
  roles: ['auditor', 'billing', 'customer'],
  isInNavigation: true,
  load: () => import('./account.tsx'),
};
