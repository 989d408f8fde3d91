// What a subscriber wants to receive: types, a run, a task, a request. A field that is not set excludes nothing.
import type { EventType, LoopEvent } from './schema.ts'

export interface Filter {
  types?: readonly EventType[] | undefined
  run?: number | undefined
  task?: number | undefined
  request?: number | undefined
}

/** A test for events, or `null` if everything is wanted. */
export function matcher(filter: Filter): ((event: LoopEvent) => boolean) | null {
  const { types, run, task, request } = filter
  if (types === undefined && run === undefined && task === undefined && request === undefined) return null
  const wanted = types === undefined ? null : new Set<string>(types)
  return (event) =>
    (wanted === null || wanted.has(event.type)) &&
    (run === undefined || event.run === run) &&
    (task === undefined || isOf(event, task)) &&
    (request === undefined || event.request === request)
}

function isOf(event: LoopEvent, task: number): boolean {
  return event.type === 'loop.busy' ? event.tasks.some((one) => one.task === task) : (event as { task?: number }).task === task
}
