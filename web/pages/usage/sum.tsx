import { useTranslation } from 'react-i18next';
import { millisecondsOf, Seconds } from '../../ui/figures.tsx';
import { Icon } from '../../ui/icons.tsx';

interface SumProps {
  readonly text: string;
  /** The exact sum of the parts, in seconds. */
  readonly sum: string;
  /** The figure that it must be. */
  readonly figure: string;
  readonly ofFigure: string;
}

/** The sum of the parts, and whether it is the figure. */
export function Sum({ text, sum, figure, ofFigure }: SumProps) {
  const { t } = useTranslation('usage');
  const isSame = millisecondsOf(sum) === millisecondsOf(figure);
  return (
    <p className="sum-line usage-sum" data-same={isSame}>
      <span>{text}</span>
      <Seconds value={sum} />
      <span className="usage-sum-check">
        <Icon name={isSame ? 'good' : 'critical'} size={16} />
        {isSame ? t('sum.same', { figure: ofFigure }) : t('sum.differs', { figure: ofFigure })}
      </span>
    </p>
  );
}
