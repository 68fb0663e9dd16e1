import type { Page } from '../page.ts';

export const page: Page = {
  id: 'events',
  paths: ['/events', '/events/$eventId'],
  roles: ['auditor', 'billing'],
  isInNavigation: true,
  load: () => import('./events.tsx'),
};
