import { StoreFailed } from './store-errors.ts';
import { WrappedStore } from './wrapped-store.ts';

/** A store that can be read and not written. */
export class ReadOnlyStore extends WrappedStore {
  /** @throws StoreFailed always. Nothing was written. */
  override async append(): Promise<never> {
    throw new StoreFailed('the store is open for reading only');
  }

  /** @throws StoreFailed always. Nothing was deleted. */
  override async keepLast(): Promise<never> {
    throw new StoreFailed('the store is open for reading only');
  }
}
