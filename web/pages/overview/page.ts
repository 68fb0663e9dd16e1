import type { Page } from '../page.ts';

export const page: Page = {
  id: 'overview',
  paths: ['/'],
  roles: ['billing', 'auditor', 'customer'],
  isInNavigation: true,
  load: () => import('./overview.tsx'),
};
