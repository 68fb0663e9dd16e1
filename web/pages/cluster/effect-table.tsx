import { useTranslation } from 'react-i18next';
import type { Effects } from '../../data/corrections.ts';
import { BilledTime, Count } from '../../ui/figures.tsx';

/** The effect of a change on the bill of each account, period by period. */
export function EffectTable({ effects }: { readonly effects: Effects }) {
  const { t } = useTranslation('cluster');
  const label = t('effect.title');
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
    <section className="table-scroll" aria-label={label} tabIndex={0}>
      <table className="data-table">
        <thead>
          <tr>
            <th scope="col">{t('attributes.accountId')}</th>
            <th scope="col">{t('effect.period')}</th>
            <th scope="col" data-align="right">
              {t('effect.before')}
            </th>
            <th scope="col" data-align="right">
              {t('effect.after')}
            </th>
            <th scope="col" data-align="right">
              {t('effect.difference')}
            </th>
            <th scope="col" data-align="right">
              {t('effect.clusters')}
            </th>
          </tr>
        </thead>
        <tbody>
          {effects.flatMap(({ accountId, periods }) =>
            periods.map(({ period, state, before, after, delta }) => (
              <tr key={`${accountId} ${period}`}>
                <td>
                  <span className="name">{accountId}</span>
                </td>
                <td>
                  {period}
                  {state === 'closed' && <div className="fact-note">{t('effect.closed')}</div>}
                </td>
                <td data-align="right">
                  <BilledTime seconds={before.usage.clusterSeconds} />
                </td>
                <td data-align="right">
                  <BilledTime seconds={after.usage.clusterSeconds} />
                </td>
                <td data-align="right">
                  <BilledTime seconds={delta.clusterSeconds} isSigned />
                </td>
                <td data-align="right">
                  <Count value={before.usage.billableClusters} /> →{' '}
                  <Count value={after.usage.billableClusters} />
                </td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </section>
  );
}
