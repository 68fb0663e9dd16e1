import type { Page } from '../page.ts';

export const page: Page = {
  id: 'delivery',
  paths: ['/delivery', '/delivery/$webhookId'],
  roles: ['auditor'],
  isInNavigation: true,
  load: () => import('./delivery.tsx'),
};
