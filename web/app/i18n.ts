import i18next, { type BackendModule } from 'i18next';
import { initReactI18next } from 'react-i18next';

/** The languages of the console, each with its own name. */
export const LANGUAGES = { en: 'English', 'zh-CN': '简体中文' } as const;
export type Language = keyof typeof LANGUAGES;

const STORAGE_KEY = 'cluster-ledger.language';
const files = import.meta.glob<{ default: Record<string, unknown> }>('../i18n/*/*.json');

/** Reads the texts of a page when the page is opened. */
const backend: BackendModule = {
  type: 'backend',
  init: () => undefined,
  read(language, namespace, done) {
    const load = files[`../i18n/${language}/${namespace}.json`];
    if (load === undefined) return done(new Error(`there are no texts ${language}/${namespace}`), null);
    load().then(
      ({ default: texts }) => done(null, texts),
      (error: unknown) => done(error as Error, null),
    );
  },
};

function isLanguage(text: string | null): text is Language {
  return text !== null && Object.hasOwn(LANGUAGES, text);
}

/** Returns the language that was chosen before, or else that of the browser. */
function initialLanguage(): Language {
  const chosen = localStorage.getItem(STORAGE_KEY);
  if (isLanguage(chosen)) return chosen;
  return navigator.languages.find((tag) => /^(en|zh)\b/.test(tag))?.startsWith('zh') === true
    ? 'zh-CN'
    : 'en';
}

/** Loads the texts that every page needs. */
export async function startTexts(): Promise<void> {
  i18next.on('languageChanged', (language) => {
    document.documentElement.lang = language;
  });
  await i18next
    .use(backend)
    .use(initReactI18next)
    .init({
      lng: initialLanguage(),
      supportedLngs: Object.keys(LANGUAGES),
      fallbackLng: false,
      load: 'currentOnly',
      ns: ['common', 'shell'],
      defaultNS: 'common',
      // React escapes.
      interpolation: { escapeValue: false },
    });
}

/** Changes the language, and remembers it in this browser. */
export async function changeLanguage(language: Language): Promise<void> {
  localStorage.setItem(STORAGE_KEY, language);
  await i18next.changeLanguage(language);
}
