import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Texts {
  readonly [key: string]: string | Texts;
}

/** Returns a function that gives the text that the console shows for a key such as `alerts:ask.title`. */
export function textsIn(
  language: string,
): (key: string, values?: Readonly<Record<string, string>>) => string {
  const files = new Map<string, Texts>();
  const fileOf = (namespace: string) => {
    const known = files.get(namespace);
    if (known !== undefined) return known;
    const file = join(import.meta.dirname, '../../web/i18n', language, `${namespace}.json`);
    const texts = JSON.parse(readFileSync(file, 'utf8')) as Texts;
    files.set(namespace, texts);
    return texts;
  };
  return (key, values = {}) => {
    const [namespace = '', path = ''] = key.split(':');
    const found = path
      .split('.')
      .reduce<string | Texts | undefined>((at, part) => (at as Texts | undefined)?.[part], fileOf(namespace));
    if (typeof found !== 'string') throw new Error(`there is no text ${key} in ${language}`);
    return found.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? '');
  };
}
