import { defaultOf, SETTING_PATHS, SETTINGS, type Setting, variableOf } from './settings.ts';

/** The reference page of the settings, in Markdown. */
export function configurationPage(): string {
  const rows = SETTING_PATHS.map((path) => {
    const setting: Setting = SETTINGS[path];
    const standard = defaultOf(setting);
    // The file of a secret has a variable, unless that is the one of a setting of its own.
    const file = `${variableOf(path)}_FILE`;
    const isNamed = SETTING_PATHS.some((other) => variableOf(other) === file);
    const secret = setting.isSecret && !isNamed ? ` May stand in a file that \`${file}\` names.` : '';
    return `| \`${path}\` | \`${variableOf(path)}\` | ${standard === undefined ? 'none' : `\`${JSON.stringify(standard)}\``} | ${setting.about}${secret} |`;
  });
  return `# Configuration

The ledger reads \`ledger.yaml\` in its working folder, or the file that \`LEDGER_CONFIG\` names. Every setting is also a variable,
which beats the file; structures are written in a variable as YAML or JSON. All mistakes are told at once, each with its place,
what was given and what is allowed; a setting that nobody knows is a mistake. \`cluster-ledger config print\` shows what is in
force and where it comes from.

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
