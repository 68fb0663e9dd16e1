import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import './figure-tile.css';

/** A figure with its name, and one line about it. */
export function FigureTile({
  name,
  children,
  note,
}: {
  readonly name: string;
  readonly children: ReactNode;
  readonly note?: ReactNode;
}) {
  return (
    <div className="figure-tile">
      <dt>{name}</dt>
      <dd>
        <span className="figure-tile-value">{children}</span>
        {note !== undefined && (
          <Text component="div" size="xs" c="dimmed">
            {note}
          </Text>
        )}
      </dd>
    </div>
  );
}

/** Figures beside each other; below each other if there is no room. */
export function FigureTiles({ children }: { readonly children: ReactNode }) {
  return <dl className="figure-tiles">{children}</dl>;
}
