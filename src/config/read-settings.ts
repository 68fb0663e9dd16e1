import { readFileSync } from 'node:fs';
import { parse, parseDocument, YAMLParseError } from 'yaml';
import type { z } from 'zod';
import { constraintOf, faultyPart } from '../util/constraint-of.ts';
import { messageOf } from '../util/message-of.ts';
import {
  RENAMED_SETTINGS,
  SETTING_PATHS,
  SETTINGS,
  type Setting,
  type SettingPath,
  type Settings,
  variableOf,
} from './settings.ts';

/** Origin of the value of a setting. */
export type Source = 'default' | { readonly variable: string } | { readonly file: string };

/** The settings in force, and where each comes from. */
export interface EffectiveSettings {
  readonly values: Settings;
  /** Values as written in the file or the variable: `15m` for 900000. Settings that nobody wrote are absent. */
  readonly given: Readonly<Partial<Record<SettingPath, unknown>>>;
  readonly sources: Readonly<Record<SettingPath, Source>>;
}

/** Reports that the configuration is not valid. The message has one line for each mistake. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export type Environment = Readonly<Record<string, string | undefined>>;

const CONFIG_VARIABLE = 'LEDGER_CONFIG';
const DEFAULT_FILE = 'ledger.yaml';
/** Variables of the command line. They are not settings of a server. */
const CLI_VARIABLES = new Set(['LEDGER_URL', 'LEDGER_KEY', 'LEDGER_TOKEN', 'LEDGER_CONTEXT']);

interface RawSetting {
  readonly value: unknown;
  readonly source: Exclude<Source, 'default'>;
}

/**
 * Reads the settings. A variable overrides the file, and the file overrides the default.
 * @throws ConfigError that reports all mistakes together, each with its name, the value given and the values allowed. Values of
 * secret settings are not repeated.
 */
export function readSettings(environment: Environment): EffectiveSettings {
  const mistakes: string[] = [];
  const given = new Map<SettingPath, RawSetting>();
  readFile(environment, given, mistakes);
  readVariables(environment, given, mistakes);
  const values: Record<string, unknown> = {};
  const sources: Record<string, Source> = {};
  for (const path of SETTING_PATHS) {
    const setting: Setting = SETTINGS[path];
    const from = given.get(path);
    sources[path] = from?.source ?? 'default';
    const parsed = setting.schema.safeParse(from?.value);
    if (parsed.success) values[path] = parsed.data;
    else mistakes.push(...parsed.error.issues.map((issue) => mistakeOf(path, setting, from, issue)));
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes.join('\n'));
  return {
    values: values as Settings,
    given: Object.fromEntries(Array.from(given, ([path, { value }]) => [path, value])),
    sources: sources as EffectiveSettings['sources'],
  };
}

function mistakeOf(
  path: SettingPath,
  setting: Setting,
  given: RawSetting | undefined,
  issue: z.core.$ZodIssue,
): string {
  const place =
    given !== undefined && 'file' in given.source ? `${given.source.file}: ${path}` : variableOf(path);
  const inside = issue.path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('');
  const at = faultyPart(issue, given?.value);
  const value = setting.isSecret ? 'something else' : at === undefined ? 'nothing' : JSON.stringify(at);
  if (issue.code === 'unrecognized_keys')
    return `${place}${inside} ${unknownKeys([path, ...issue.path].join('.'), issue.keys)}`;
  return `${place}${inside} ${constraintOf(issue)}; given ${value}`;
}

const TOO_DEEP = 'it is nested too deeply';

/** Parses YAML. @returns its value, or what is wrong with it, in words */
function contentOf(text: string): { readonly value: unknown } | { readonly errors: readonly string[] } {
  try {
    const document = parseDocument(text, { uniqueKeys: true, strict: true, logLevel: 'error' });
    const errors = document.errors.map(({ message }) =>
      message.includes('call stack') ? TOO_DEEP : String(message.split('\n')[0]),
    );
    return errors.length > 0 ? { errors } : { value: document.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    // The parser calls itself for each level, and refuses aliases that multiply.
    return { errors: [error instanceof RangeError ? TOO_DEEP : messageOf(error)] };
  }
}

/** Reads the file. Every path that is a setting becomes a raw value; unknown paths are mistakes. */
function readFile(environment: Environment, given: Map<SettingPath, RawSetting>, mistakes: string[]): void {
  const named = environment[CONFIG_VARIABLE];
  const file = named ?? DEFAULT_FILE;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (named !== undefined || code !== 'ENOENT')
      mistakes.push(
        `${CONFIG_VARIABLE} must name a file that can be read (${code}); given ${JSON.stringify(file)}`,
      );
    return;
  }
  const content = contentOf(text);
  if ('errors' in content) {
    for (const message of content.errors) mistakes.push(`${file} is not valid YAML: ${message}`);
    return;
  }
  const walk = (value: unknown, path: string): void => {
    if (Object.hasOwn(SETTINGS, path)) {
      given.set(path as SettingPath, { value: value ?? undefined, source: { file } });
      return;
    }
    const isGroup = path === '' || SETTING_PATHS.some((known) => known.startsWith(`${path}.`));
    if (isGroup && value === null) return;
    if (isGroup && typeof value === 'object' && !Array.isArray(value)) {
      for (const [key, inner] of Object.entries(value as object))
        walk(inner, path === '' ? key : `${path}.${key}`);
      return;
    }
    if (isGroup) mistakes.push(`${file}: ${path || 'the top level'} must be a mapping`);
    else mistakes.push(`${file}: ${path} ${unknownSetting(path, SETTING_PATHS)}`);
  };
  walk(content.value, '');
}

function readVariables(
  environment: Environment,
  given: Map<SettingPath, RawSetting>,
  mistakes: string[],
): void {
  const paths = new Map(SETTING_PATHS.map((path) => [variableOf(path), path]));
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('LEDGER_') || text === undefined || name === CONFIG_VARIABLE) continue;
    if (CLI_VARIABLES.has(name)) continue;
    const path = paths.get(name);
    if (path !== undefined) {
      given.set(path, { value: readForm(text, SETTINGS[path]), source: { variable: name } });
      continue;
    }
    const secret = name.endsWith('_FILE') ? paths.get(name.slice(0, -'_FILE'.length)) : undefined;
    if (secret !== undefined && (SETTINGS[secret] as Setting).isSecret) {
      readSecret(name, text, secret, environment, given, mistakes);
    } else {
      mistakes.push(`${name} ${unknownVariable(name, [...paths.keys()])}`);
    }
  }
}

function unknownKeys(parent: string, keys: readonly string[]): string {
  const renamed = keys.flatMap((key) => {
    const name = RENAMED_SETTINGS.get(`${parent}.${key}`);
    return name === undefined ? [] : [`; ${parent}.${key} was renamed to ${name}`];
  });
  return `has ${keys.map((key) => JSON.stringify(key)).join(', ')}, which ${keys.length === 1 ? 'is not a known setting' : 'are not known settings'}${renamed.join('')}`;
}

function unknownSetting(path: string, known: readonly string[]): string {
  const renamed = RENAMED_SETTINGS.get(path);
  return renamed === undefined
    ? `is not a known setting; the settings are ${known.join(', ')}`
    : `was renamed to ${renamed}`;
}

function unknownVariable(name: string, known: readonly string[]): string {
  const renamed = RENAMED_SETTINGS.entries().find(([path]) => variableOf(path) === name)?.[1];
  return renamed === undefined
    ? `is not a known setting; the settings are ${known.join(', ')}`
    : `was renamed to ${variableOf(renamed)}`;
}

function readSecret(
  name: string,
  file: string,
  path: SettingPath,
  environment: Environment,
  given: Map<SettingPath, RawSetting>,
  mistakes: string[],
): void {
  if (environment[variableOf(path)] !== undefined) {
    mistakes.push(`${name} and ${variableOf(path)} are both set: set one of them`);
    return;
  }
  try {
    const value = readForm(readFileSync(file, 'utf8').replace(/\r?\n$/, ''), SETTINGS[path]);
    given.set(path, { value, source: { variable: name } });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    mistakes.push(`${name} must name a file that can be read (${code}); given ${JSON.stringify(file)}`);
  }
}

/** Parses a variable in the form of its setting. Malformed text stays text, so that the message of the schema quotes it. */
function readForm(text: string, { form }: Setting): unknown {
  switch (form) {
    case 'text':
      return text;
    case 'whole':
      return /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
    case 'flag':
      return text === 'true' || (text === 'false' ? false : text);
    case 'yaml':
      try {
        return parse(text, { uniqueKeys: true, strict: true, logLevel: 'error' });
      } catch (error) {
        if (error instanceof YAMLParseError) return text;
        throw error;
      }
  }
}
