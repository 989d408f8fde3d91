// Which lanes are shown.
import { isOverdue } from '../recording/explain.ts'
import { READY, STATE_NAMES, type Lane, type Position } from '../recording/track.ts'

export interface Filter {
  /** In the name, in the coroutine's name, in what is waited for. */
  text: string
  /** One of the states' names, or '' for all; 'ended' for what has ended. */
  state: string
  run: number | null
  request: number | null
  /** Also what the page itself asks the server for. */
  own: boolean
}

export const NO_FILTER: Filter = { text: '', state: '', run: null, request: null, own: false }

/** What this very page asks for, and whoever looks after the server: not what anybody came to see. */
const OWN = /^GET \/(view(\/|\s|$)|favicon|examples(\/\d+)?(\s|$)|runs|tasks|loops|stalls|healthz|readyz|metrics|events|docs|openapi)/

const own = new WeakMap<Lane, boolean>()

/** Whether a lane passes the filter, at a moment; `time` is that of the position, or the present. */
export function passes(lane: Lane, filter: Filter, position: Position, time: number): boolean {
  const { text, state, run, request } = filter
  if (!filter.own && isOwn(lane)) return false
  if (run !== null && lane.run !== run) return false
  if (request !== null && lane.request !== request) return false
  if (text !== '') {
    const wanted = text.toLowerCase()
    const on = lane.info?.on
    if (!`${lane.name} ${lane.coroutine} ${on?.kind ?? ''} ${on?.label ?? ''}`.toLowerCase().includes(wanted)) return false
  }
  if (state === '') return true
  const span = lane.at(position)
  if (state === 'ended') return span === null
  if (span === null) return false
  return state === (isOverdue(span, time) ? STATE_NAMES[READY] : STATE_NAMES[span.state])
}

/** Whether a lane is about what this page asks the server for. */
function isOwn(lane: Lane): boolean {
  let known = own.get(lane)
  if (known === undefined) own.set(lane, known = OWN.test(lane.rootName))
  return known
}
