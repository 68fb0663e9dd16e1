import { defaultOf, SETTING_PATHS, SETTINGS, type Setting, variableOf } from './settings.ts';

/** Returns the reference page of the settings, in Markdown. */
export function configurationPage(): string {
  const rows = SETTING_PATHS.map((path) => {
    const setting: Setting = SETTINGS[path];
    const standard = defaultOf(setting);
    // `LEDGER_AUDIT_KEY_FILE` is the variable of a setting, not one that names a file with `LEDGER_AUDIT_KEY`.
    const file = `${variableOf(path)}_FILE`;
    const isSetting = SETTING_PATHS.some((path) => variableOf(path) === file);
    const secret = setting.isSecret && !isSetting ? ` \`${file}\` can name a file that contains it.` : '';
    return `| \`${path}\` | \`${variableOf(path)}\` | ${standard === undefined ? 'none' : `\`${JSON.stringify(standard)}\``} | ${setting.schema.description}${secret} |`;
  });
  return `# Configuration

The ledger reads \`ledger.yaml\` in its working folder, or the file that \`LEDGER_CONFIG\` names. Every setting is also an environment
variable, which overrides the file. In a variable, structures are written as YAML or JSON. The ledger does not start with an
invalid or unknown setting: it reports all mistakes together, each with its place, the value given and the values allowed.
\`cluster-ledger config print\` shows the settings in force and where each comes from.

\`\`\`yaml
http:
  port: 8400
dataDir: /var/lib/cluster-ledger
\`\`\`

| setting | variable | default | meaning |
| ------- | -------- | ------- | ------- |
${rows.join('\n')}
`;
}
