import type { ReactNode } from 'react';

/** Names and values, one line each; below each other on a phone. */
export function FieldList({ children }: { readonly children: ReactNode }) {
  return <dl className="field-list">{children}</dl>;
}

/** A name and its value. Without a value nothing is shown. */
export function Field({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  if (children === undefined || children === null || children === false || children === '') return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd className="breakable">{children}</dd>
    </div>
  );
}
