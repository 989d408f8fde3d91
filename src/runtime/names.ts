// Permanent names of queues and locks. Their descriptions contain the current state, which is right for a message; an
// observer of many waits needs a name that stays the same.

export interface Name {
  /** In one line: `<Lock 1>`, `<Queue 2 maxsize=5>`. */
  readonly text: string
  /** The `id` of a queue, as in `queueChanged`. */
  readonly queue?: number
}

/** An object that provides its name. */
export interface Named {
  /** @internal Called once. */
  nameForWatchers(): Name
}

const names = new WeakMap<object, Name>()
/** The number of named objects of each class. */
const counts = new Map<string, number>()

/** The name of an object that tasks wait for, made at the first call. */
export function nameOf(of: object): Name {
  let name = names.get(of)
  if (name === undefined) {
    name = (of as Partial<Named>).nameForWatchers?.() ?? numbered(of)
    names.set(of, name)
  }
  return name
}

function numbered(of: object): Name {
  const kind = of.constructor.name
  const number = (counts.get(kind) ?? 0) + 1
  counts.set(kind, number)
  return { text: `<${kind} ${number}>` }
}
