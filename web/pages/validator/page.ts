import type { Page } from '../page.ts';

export const page: Page = {
  id: 'validator',
  paths: ['/validator', '/validator/$runId'],
  roles: ['auditor'],
  isInNavigation: true,
  load: () => import('./validator.tsx'),
};
