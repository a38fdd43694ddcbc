/** Returns what makes a value when it is first asked for, and keeps it: a start need not wait for what no start needs. */
export function lazy<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
