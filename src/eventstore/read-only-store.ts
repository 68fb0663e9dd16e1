import { StoreFailed } from './store-errors.ts';
import { WrappedStore } from './wrapped-store.ts';

/** A store that is looked at, and stays as it is. */
export class ReadOnlyStore extends WrappedStore {
  /** @throws StoreFailed always; nothing was written. */
  override async append(): Promise<never> {
    throw new StoreFailed('the store was opened to be read only');
  }

  /** @throws StoreFailed always; nothing was removed. */
  override async keepLast(): Promise<never> {
    throw new StoreFailed('the store was opened to be read only');
  }
}
