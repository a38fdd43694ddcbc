/** Does something with each item, a few at a time, in their order as far as it goes. */
export async function inParallel<Item>(
  items: Iterable<Item>,
  workers: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  // All workers draw from one iterator, so each item is done once.
  const rest = items[Symbol.iterator]();
  const run = async () => {
    for (let next = rest.next(); next.done !== true; next = rest.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: workers }, run));
}
