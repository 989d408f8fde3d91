// Names of queues and locks that stay the same for as long as they are there. Their descriptions say how they are just now,
// which is right for a message; but whoever tells of a million waits must find out that two are for the same thing.

export interface Name {
  /** In one line: `<Lock 1>`, `<Queue 2 maxsize=5>`. */
  readonly text: string
  /** The number of a queue, as `queueChanged` has it. */
  readonly queue?: number
}

/** Something that has a name of its own. */
export interface Named {
  /** @internal Asked for once. */
  nameForWatchers(): Name
}

const names = new WeakMap<object, Name>()
/** How many of each class have a name. */
const counts = new Map<string, number>()

/** The name of something that tasks wait for; the first call gives it one. */
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
