import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

/** Quiet blue. Shade 8 has a contrast above 7 on white, and white has one above 7 on it. */
const ledger: MantineColorsTuple = [
  '#edf2ff',
  '#dbe4ff',
  '#bac8ff',
  '#91a7ff',
  '#748ffc',
  '#5c7cfa',
  '#4c6ef5',
  '#4263eb',
  '#364fc7',
  '#2b3f9e',
];

/** The look of the console: system fonts, one accent, and shades whose contrast is at least 4.5. */
export const theme = createTheme({
  colors: { ledger },
  primaryColor: 'ledger',
  primaryShade: { light: 8, dark: 8 },
  autoContrast: true,
  defaultRadius: 'sm',
  respectReducedMotion: true,
  components: {
    // A page has one banner, which is not the heading of a dialog.
    ModalHeader: { defaultProps: { role: 'none' } },
  },
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: {
    fontWeight: '600',
    sizes: { h1: { fontSize: '1.5rem' }, h2: { fontSize: '1.125rem' }, h3: { fontSize: '1rem' } },
  },
});

/** Colors of Mantine whose contrast with the background is too low, replaced. */
export const contrastVariables: CSSVariablesResolver = ({ colors }) => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': colors.gray[7],
    '--mantine-color-placeholder': colors.gray[7],
    '--mantine-color-error': colors.red[9],
    '--mantine-color-anchor': colors['ledger']?.[8] ?? '',
    '--ledger-good': '#1b6e3c',
    '--ledger-warning': '#8a4b00',
    '--ledger-critical': '#b42318',
    '--ledger-line': colors.gray[3],
    '--ledger-surface': colors.gray[0],
  },
  dark: {
    '--mantine-color-dimmed': colors.dark[1],
    '--mantine-color-placeholder': colors.dark[2],
    '--mantine-color-error': colors.red[4],
    '--mantine-color-anchor': colors['ledger']?.[3] ?? '',
    '--ledger-good': '#63d48d',
    '--ledger-warning': '#f2b35c',
    '--ledger-critical': '#ff8f85',
    '--ledger-line': colors.dark[4],
    '--ledger-surface': colors.dark[8],
  },
});
