import type { Page } from '../page.ts';

export const page: Page = {
  id: 'settings',
  paths: ['/settings'],
  roles: ['producer', 'billing', 'auditor', 'customer'],
  isInNavigation: true,
  load: () => import('./settings.tsx'),
};
