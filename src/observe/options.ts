// Refuses options that do not exist: a misspelt one would be ignored, and its default would apply.

/** The names of all options of `T`. The compiler wants each one, and no other. */
export type Names<T> = Record<keyof T, true>

/** Throws a TypeError that lists the options if `options` has one that is not in `known`. */
export function requireKnown<T extends object>(where: string, options: T, known: Names<T>, others: readonly string[] = []): void {
  const names = Object.keys(known)
  const unknown = Object.keys(options).filter((name) => !names.includes(name) && !others.includes(name))
  if (unknown.length === 0) return
  throw new TypeError(`${where}: unknown ${unknown.length === 1 ? 'option' : 'options'} ${unknown.join(', ')}. The options are ${names.join(', ')}`)
}
