// The rules of the trace format that viewers rely on: which of them are broken, as text.
import type { TraceEvent } from '../../src/events/render/trace.ts'

const byRow = (events: TraceEvent[]): Map<number, TraceEvent[]> => {
  const rows = new Map<number, TraceEvent[]>()
  for (const event of events) rows.set(event.tid, [...(rows.get(event.tid) ?? []), event])
  return rows
}

export function brokenRules(events: readonly TraceEvent[]): string[] {
  const broken: string[] = []
  const complain = (what: string, event: TraceEvent): void => { broken.push(`${what}: ${JSON.stringify(event)}`) }
  const slices = byRow(events.filter(({ ph }) => ph === 'X'))
  let last = -Infinity
  for (const event of events) {
    if (!Number.isInteger(event.ts) || event.ts < 0) complain('a time is in whole microseconds', event)
    if (!Number.isInteger(event.pid) || !Number.isInteger(event.tid)) complain('pid and tid are numbers', event)
    if (event.ph === 'X' && (event.dur === undefined || event.dur < 0)) complain('a slice has a length', event)
    if (event.ph === 'C' && !Object.values(event.args ?? {}).every((value) => typeof value === 'number')) complain('a counter has numbers', event)
    if (event.ph === 'f' && event.bp !== 'e') complain('an arrow ends in the slice around it', event)
    if ('sfbe'.includes(event.ph) && (!Number.isInteger(event.id) || event.cat === undefined)) complain('an arrow or a pair has a number and a category', event)
    if (event.ts < last) complain('times do not go back', event)
    last = event.ts
  }
  for (const [tid, row] of slices) {
    let end = -Infinity
    for (const slice of row) {
      if (slice.ts < end) complain('slices of a row do not overlap', slice)
      if (tid !== 0 && end !== -Infinity && slice.ts !== end) complain('slices of a task leave no gap', slice)
      end = slice.ts + (slice.dur ?? 0)
    }
  }
  const within = ({ tid, ts }: TraceEvent): boolean => (slices.get(tid) ?? []).some((slice) => slice.ts <= ts && ts <= slice.ts + (slice.dur ?? 0))
  const flows = new Map<number, string>()
  for (const event of events) {
    if (event.ph !== 's' && event.ph !== 'f') continue
    flows.set(event.id!, `${flows.get(event.id!) ?? ''}${event.ph}`)
    if (!within(event)) complain('an arrow begins and ends at a slice', event)
  }
  for (const [id, ends] of flows) if (ends !== 'sf') broken.push(`arrow ${id} has the ends "${ends}"`)
  const open = new Map<number, number>()
  for (const { ph, id } of events) {
    if (ph === 'b') open.set(id!, (open.get(id!) ?? 0) + 1)
    if (ph === 'e') open.set(id!, (open.get(id!) ?? 0) - 1)
  }
  for (const [id, count] of open) if (count > 1) broken.push(`pair ${id} begins more than once`)
  return broken
}
