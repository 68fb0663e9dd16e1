import type { PageId } from '../pages/page.ts';

/** How serious something is. */
export type Severity = 'critical' | 'warning' | 'info' | 'good';

const PATHS = {
  overview: 'M3 13h7V3H3zm11 8h7V11h-7zM3 21h7v-4H3zM14 3v4h7V3z',
  clusters: 'M12 2 3 7l9 5 9-5zM3 12l9 5 9-5M3 17l9 5 9-5',
  cluster: 'M12 2 3 7v10l9 5 9-5V7zM3 7l9 5 9-5M12 12v10',
  deletions: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5',
  account: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 4-6 8-6s8 2 8 6',
  usage: 'M4 20V10M10 20V4M16 20v-7M22 20H2',
  periods: 'M4 6h16v15H4zM4 10h16M8 3v4M16 3v4M9 15l2 2 4-4',
  replay: 'M4 5v6h6M4.5 11A8 8 0 1 1 4 14M12 8v5l3 2',
  alerts: 'M6 17V11a6 6 0 1 1 12 0v6l2 2H4zM10 21h4',
  validator: 'M12 3 4 6v6c0 5 3.5 8 8 9 4.500-1 8-4 8-9V6zM9 12l2 2 4-4',
  events: 'M4 6h4M12 6h8M4 12h4M12 12h8M4 18h4M12 18h8',
  delivery: 'M4 12h13M12 6l6 6-6 6M21 4v16',
  settings: 'M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4',
  'sign-in': 'M14 4h6v16h-6M4 12h11M11 8l4 4-4 4',
  signOut: 'M10 4H4v16h6M9 12h11M16 8l4 4-4 4',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  key: 'M15 9a4 4 0 1 1-4-4 4 4 0 0 1 4 4zM10 12 3 19v2h3v-2h2v-2h2l2-2',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.500 1.500M17.500 17.500 19 19M5 19l1.500-1.500M17.500 6.500 19 5',
  moon: 'M20 14A8 8 0 0 1 10 4a8 8 0 1 0 10 10z',
  contrast: 'M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18',
  language:
    'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c3 3 3.500 6 3.500 9s-.500 6-3.500 9c-3-3-3.500-6-3.500-9S9 6 12 3z',
  critical: 'M8 2h8l6 6v8l-6 6H8l-6-6V8zM12 7v6M12 16v1',
  warning: 'M12 3 2 20h20zM12 10v4M12 16v1',
  info: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v6M12 7v1',
  good: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 12l3 3 5-6',
  download: 'M12 4v11M7 11l5 5 5-5M4 20h16',
  columns: 'M4 4h16v16H4zM9.500 4v16M14.500 4v16',
  up: 'M12 19V5M6 11l6-6 6 6',
  down: 'M12 5v14M6 13l6 6 6-6',
  back: 'M15 5l-7 7 7 7',
  forward: 'M9 5l7 7-7 7',
  search: 'M10 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l5 5',
  close: 'M6 6l12 12M18 6 6 18',
  billed: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z',
  notBilled: 'M7 12h10M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z',
  pending: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l3 2',
} as const;
export type IconName = keyof typeof PATHS | PageId;

/** A drawing beside a text. It has no name of its own: the text says what it means. */
export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      aria-hidden="true"
      focusable="false"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.75}
      strokeLinecap="round"
      strokeLinejoin="round"
      className="icon"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The drawing of a severity: each has its own shape, so that color alone never says it. */
export function SeverityIcon({
  severity,
  size = 20,
}: {
  readonly severity: Severity;
  readonly size?: number;
}) {
  return (
    <span className="severity" data-severity={severity}>
      <Icon name={severity} size={size} />
    </span>
  );
}
