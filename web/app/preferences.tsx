import { ActionIcon, Button, type MantineColorScheme, useMantineColorScheme } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Icon, type IconName } from '../ui/icons.tsx';
import { changeLanguage, LANGUAGES, type Language } from './i18n.ts';

const SCHEMES: readonly (readonly [MantineColorScheme, IconName])[] = [
  ['auto', 'contrast'],
  ['light', 'sun'],
  ['dark', 'moon'],
];

/** Returns the item after the one at an index; after the last one the first. */
function after<T>(items: readonly T[], index: number): T {
  return items[(index + 1) % items.length] as T;
}

/** The language and the color scheme of this browser. Each button names what it changes to. */
export function Preferences() {
  const { t, i18n } = useTranslation('shell');
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const languages = Object.keys(LANGUAGES) as Language[];
  const language = after(languages, languages.indexOf(i18n.language as Language));
  const index = SCHEMES.findIndex(([scheme]) => scheme === colorScheme);
  const [scheme] = after(SCHEMES, index);
  const label = t('changeScheme', { scheme: t(`scheme.${scheme}`) });
  return (
    <>
      <Button
        variant="subtle"
        color="gray"
        c="inherit"
        size="compact-sm"
        px={6}
        lang={language}
        onClick={() => void changeLanguage(language)}
      >
        {LANGUAGES[language]}
      </Button>
      <ActionIcon
        variant="subtle"
        color="gray"
        c="inherit"
        size="lg"
        aria-label={label}
        title={label}
        onClick={() => setColorScheme(scheme)}
      >
        <Icon name={SCHEMES[index]?.[1] ?? 'contrast'} />
      </ActionIcon>
    </>
  );
}
