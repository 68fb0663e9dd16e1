import type { Page } from '../page.ts';

export const page: Page = {
  id: 'periods',
  paths: ['/periods'],
  roles: ['auditor', 'billing'],
  isInNavigation: true,
  load: () => import('./periods.tsx'),
};
