import { ActionIcon, type MantineColorScheme, Menu, useMantineColorScheme } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Icon, type IconName } from '../ui/icons.tsx';
import { changeLanguage, LANGUAGES, type Language } from './i18n.ts';

const SCHEMES: readonly (readonly [MantineColorScheme, IconName])[] = [
  ['light', 'sun'],
  ['dark', 'moon'],
  ['auto', 'contrast'],
];

/** The language and the color scheme of this browser. */
export function Preferences() {
  const { t, i18n } = useTranslation('shell');
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <>
      <Menu position="bottom-end" width={160}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" c="inherit" size="lg" aria-label={t('language')}>
            <Icon name="language" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.RadioGroup value={i18n.language} onChange={(value) => void changeLanguage(value as Language)}>
            {Object.entries(LANGUAGES).map(([language, name]) => (
              <Menu.RadioItem key={language} value={language} lang={language}>
                {name}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
        </Menu.Dropdown>
      </Menu>
      <Menu position="bottom-end" width={200}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" c="inherit" size="lg" aria-label={t('colorScheme')}>
            <Icon name={SCHEMES.find(([scheme]) => scheme === colorScheme)?.[1] ?? 'contrast'} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.RadioGroup
            value={colorScheme}
            onChange={(value) => setColorScheme(value as MantineColorScheme)}
          >
            {SCHEMES.map(([scheme]) => (
              <Menu.RadioItem key={scheme} value={scheme}>
                {t(`scheme.${scheme}`)}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
