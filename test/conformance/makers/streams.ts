// StreamReader: tasks that read, and tasks and callbacks that feed.
import { construct, literal, method } from '../tree.ts'
import type { Expression, Statement, Variable } from '../tree.ts'
import type { Builder, Maker, Place } from '../builder.ts'

/** Something that may end a read. */
export function feeding(builder: Builder, { name }: Variable): Expression {
  const { random } = builder
  switch (random.int(0, 9)) {
    case 0: return method(name, 'feedEof')
    case 1: return method(name, 'setException', [construct('Boom', [literal(`r${random.int(1, 99)}`)])])
    default: return method(name, 'feedData', [builder.data()])
  }
}

const on = (build: (builder: Builder, reader: Variable, place: Place) => Statement) => (builder: Builder, place: Place): Statement | null => {
  const reader = builder.some('StreamReader')
  return reader === null ? null : build(builder, reader, place)
}

export const streams: Maker[] = [
  { feature: 'stream', weight: 7, make: on((builder, reader, place) => builder.bounded(place, builder.reading(reader))) },
  { feature: 'stream', weight: 8, sync: true, make: on((builder, reader) => builder.do(feeding(builder, reader))) },
  { feature: 'stream', weight: 1, sync: true, make: on((builder, reader) => builder.do(method(reader.name, builder.random.pick(['atEof', 'exception'])))) },
  // One that has ended or failed serves for nothing else.
  {
    feature: 'stream', weight: 2, sync: true,
    make: on((builder, reader) => builder.assign(reader.name, construct('StreamReader', builder.random.chance(0.7) ? [literal(builder.random.int(1, 6))] : []))),
  },
]
