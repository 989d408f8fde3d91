// Which lanes are shown.
import { isOverdue } from '../recording/explain.ts'
import { READY, STATE_NAMES, type Lane, type Position } from '../recording/track.ts'

export interface Filter {
  /** In the task's name, the coroutine's name and the label of its wait. */
  text: string
  /** A name of a state; '' for all; 'ended' for ended tasks. */
  state: string
  run: number | null
  request: number | null
  /** Whether the page's own requests are shown too. */
  own: boolean
}

export const NO_FILTER: Filter = { text: '', state: '', run: null, request: null, own: false }

/** The requests of this page and of server monitoring: hidden by default. */
const OWN = /^GET \/(view(\/|\s|$)|favicon|examples(\/\d+)?(\s|$)|runs|tasks|loops|stalls|healthz|livez|readyz|metrics|events|docs|openapi)/

const own = new WeakMap<Lane, boolean>()

/** Whether a lane passes the filter at a position; `time` is that of the position, or now. */
export function passes(lane: Lane, filter: Filter, position: Position, time: number): boolean {
  const { text, state, run, request } = filter
  if (!filter.own && isOwn(lane)) return false
  if (run !== null && lane.run !== run) return false
  if (request !== null && lane.request !== request) return false
  if (text !== '' && !contains(lane, text)) return false
  if (state === '') return true
  const span = lane.at(position)
  if (state === 'ended') return span === null
  if (span === null) return false
  return state === (isOverdue(span, time) ? STATE_NAMES[READY] : STATE_NAMES[span.state])
}

/** Whether a text is in a lane's name, its coroutine's, or in what it waits for. */
export function contains(lane: Lane, text: string): boolean {
  const on = lane.info?.on
  return `${lane.name} ${lane.coroutine} ${on?.kind ?? ''} ${on?.label ?? ''}`.toLowerCase().includes(text.toLowerCase())
}

/** Whether a request, such as `GET /tasks`, is one of this page. */
export function isOwnRequest(name: string): boolean {
  return OWN.test(name)
}

/** Whether a lane belongs to a request of this page. */
function isOwn(lane: Lane): boolean {
  let known = own.get(lane)
  if (known === undefined) own.set(lane, known = isOwnRequest(lane.rootName))
  return known
}
