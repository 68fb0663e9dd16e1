import { ConfigError, effectiveSettings } from '../../../config/config.ts';
import type { Source } from '../../../config/read-settings.ts';
import {
  defaultOf,
  SETTING_PATHS,
  SETTINGS,
  type Setting,
  type SettingPath,
  variableOf,
} from '../../../config/settings.ts';
import { usageError } from '../../terminal/cli-error.ts';

/** A setting and the source of its value. */
export interface EffectiveSetting {
  readonly setting: SettingPath;
  readonly variable: string;
  /** The value as written; absent if it is secret or unset. */
  readonly value?: unknown;
  /** Whether the setting has a value that may hold a password or a key. */
  readonly isMasked: boolean;
  readonly origin: Source;
}

/** Returns the settings that a ledger started here would use. @throws CliError that lists all invalid settings. */
export function effectiveSettingsHere(): EffectiveSetting[] {
  try {
    const { given, sources } = effectiveSettings();
    return SETTING_PATHS.map((setting) => {
      const origin = sources[setting];
      const isMasked = (SETTINGS[setting] as Setting).isSecret === true && origin !== 'default';
      const written = origin === 'default' ? defaultOf(SETTINGS[setting]) : given[setting];
      const value = isMasked ? undefined : written;
      const shown = value === undefined ? {} : { value };
      return { setting, variable: variableOf(setting), ...shown, isMasked, origin };
    });
  } catch (error) {
    throw asUsageError(error);
  }
}

/** Turns a configuration error into a usage error. Returns any other error unchanged. */
export function asUsageError(error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  return usageError(`invalid configuration:\n${error.message.replaceAll(/^/gm, '  ')}`);
}
