// The three queues.
import { literal, method, property } from '../tree.ts'
import type { Statement } from '../tree.ts'
import type { Builder, Maker, Place } from '../builder.ts'

const KINDS = ['Queue', 'PriorityQueue', 'LifoQueue']

const on = (build: (builder: Builder, queue: { name: string; kind: string; initial: null; level: number }, place: Place) => Statement) =>
  (builder: Builder, place: Place): Statement | null => {
    const queue = builder.some(...KINDS)
    return queue === null ? null : build(builder, { ...queue, initial: null }, place)
  }

export const queues: Maker[] = [
  { feature: 'queue', weight: 6, make: on((builder, queue, place) => builder.bounded(place, method(queue.name, 'get'))) },
  { feature: 'queue', weight: 6, make: on((builder, queue, place) => builder.bounded(place, method(queue.name, 'put', [builder.item(queue)]))) },
  { feature: 'queue', weight: 5, sync: true, make: on((builder, queue) => builder.do(method(queue.name, 'putNowait', [builder.item(queue)]))) },
  { feature: 'queue', weight: 4, sync: true, make: on((builder, queue) => builder.do(method(queue.name, 'getNowait'))) },
  { feature: 'queue', weight: 3, sync: true, make: on((builder, queue) => builder.do(method(queue.name, 'taskDone'))) },
  { feature: 'queue', weight: 1.5, make: on((builder, queue, place) => builder.bounded(place, method(queue.name, 'join'))) },
  {
    feature: 'queue', weight: 1.2, sync: true,
    make: on((builder, queue) => builder.do(method(queue.name, 'shutdown', builder.random.chance(0.5) ? [] : [literal(builder.random.chance(0.7))]))),
  },
  { feature: 'queue', weight: 2, sync: true, make: on((builder, queue) => builder.do(method(queue.name, builder.random.pick(['qsize', 'empty', 'full'])))) },
  { feature: 'queue', weight: 0.2, sync: true, make: on((builder, queue) => builder.do(property(queue.name, 'maxsize'))) },
]
