import { ChartFrame, colorOf, type Plot, type Point } from './chart-frame.tsx';

/** Number of points from which on they have no dots. */
const NO_DOTS_FROM = 40;

interface StepChartProps {
  readonly data: readonly Point[];
  /** The field of the axis below, and the field of the figure. */
  readonly by: string;
  readonly value: string;
  /** Name of the figure. */
  readonly valueLabel: string;
  /** Value of the axis below that is marked with a line. */
  readonly marked?: string | undefined;
  readonly height: number;
  /** Says in a sentence what the chart shows. */
  readonly label: string;
}

/** A figure that stays the same until the next step. */
export function StepChart({ data, by, value, valueLabel, marked, height, label }: StepChartProps) {
  const values = data.map((point) => Number(point[value]));
  const markedPlace = data.findIndex((point) => point[by] === marked);
  return (
    <ChartFrame
      data={data}
      by={by}
      series={[{ name: value, label: valueLabel }]}
      max={Math.max(0, ...values)}
      height={height}
      label={label}
    >
      {(plot) => {
        const line = lineOf(plot, values);
        return (
          <>
            <path className="chart-area" d={`${line}V${plot.bottom}H${plot.x(0)}Z`} fill={colorOf(0)} />
            <path className="chart-line" d={line} stroke={colorOf(0)} />
            {markedPlace >= 0 && (
              <line
                className="chart-mark"
                x1={plot.x(markedPlace)}
                x2={plot.x(markedPlace)}
                y1={plot.y(0)}
                y2={0}
              />
            )}
            {values.length < NO_DOTS_FROM &&
              values.map((each, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: points have places and no ids.
                <circle key={i} cx={plot.x(i)} cy={plot.y(each)} r={4} fill={colorOf(0)} />
              ))}
          </>
        );
      }}
    </ChartFrame>
  );
}

/** Returns the path of the steps, up to the right side of the plot. */
function lineOf(plot: Plot, values: readonly number[]): string {
  const steps = values.map((value, i) =>
    i === 0 ? `M${plot.x(0)},${plot.y(value)}` : `H${plot.x(i)}V${plot.y(value)}`,
  );
  return `${steps.join('')}H${plot.right}`;
}
