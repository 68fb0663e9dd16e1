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

/** A setting that is in force. */
export interface EffectiveSetting {
  readonly setting: SettingPath;
  readonly variable: string;
  /** As it was written; absent where it is not to be seen, or there is none. */
  readonly value?: unknown;
  /** It was given, and may hold a password or a key. */
  readonly isMasked: boolean;
  readonly origin: Source;
}

/** The settings in force here. @throws CliError with everything that is wrong with them. */
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

/** A configuration that is not valid as wrong usage, with all that is wrong; any other error as it is. */
export function asUsageError(error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  return usageError(`the configuration is not valid:\n${error.message.replaceAll(/^/gm, '  ')}`);
}
