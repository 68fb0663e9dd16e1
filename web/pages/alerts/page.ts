import type { Page } from '../page.ts';

export const page: Page = {
  id: 'alerts',
  paths: ['/alerts', '/alerts/$alertId'],
  roles: ['auditor', 'customer'],
  isInNavigation: true,
  load: () => import('./alerts.tsx'),
};
