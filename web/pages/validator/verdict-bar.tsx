import { useTranslation } from 'react-i18next';
import type { VerdictCounts } from '../../data/validator.ts';
import { Count } from '../../ui/figures.tsx';

const VERDICTS = [
  'alive',
  'unreachable',
  'unverifiable',
  'unknown',
] as const satisfies readonly (keyof VerdictCounts)[];

/** Verdicts of a run as one bar to scale, with their numbers in a table beside it. Each has its own pattern. */
export function VerdictBar({ counts, label }: { readonly counts: VerdictCounts; readonly label: string }) {
  const { t, i18n } = useTranslation('validator');
  const total = VERDICTS.reduce((sum, verdict) => sum + counts[verdict], 0);
  const percent = new Intl.NumberFormat(i18n.language, { style: 'percent', maximumFractionDigits: 1 });
  return (
    <figure className="verdicts">
      <div className="verdict-bar" aria-hidden="true">
        {VERDICTS.filter((verdict) => counts[verdict] > 0).map((verdict) => (
          <div key={verdict} data-verdict={verdict} style={{ flexGrow: counts[verdict] }} />
        ))}
      </div>
      <table>
        <caption className="visually-hidden">{label}</caption>
        <tbody>
          {VERDICTS.map((verdict) => (
            <tr key={verdict}>
              <th scope="row">
                <span className="verdict-key" data-verdict={verdict} aria-hidden="true" />
                {t(`verdict.${verdict}`)}
              </th>
              <td>
                <Count value={counts[verdict]} />
              </td>
              <td>{total === 0 ? '' : percent.format(counts[verdict] / total)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}
