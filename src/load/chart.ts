// Latency over time in characters: a column for each stretch of time, with its median and its slowest request; below it the
// target's stalls.
import type { Slice } from './time-series.ts'
import type { Stall } from './stalls.ts'
import { time } from './format.ts'

const ROWS = 8
const EIGHTHS = ' ▁▂▃▄▅▆▇█'
const AXIS = 9

interface Column {
  half: number
  max: number
  errors: boolean
}

/** Lines of at most `width` characters; none if nothing was answered. */
export function chart(slices: readonly Slice[], stalls: readonly Stall[], width: number): string[] {
  const top = Math.max(0, ...slices.map(({ max }) => max ?? 0))
  if (top === 0) return []
  const columns = columnsOf(slices, Math.max(10, Math.min(width - AXIS - 2, slices.length)))
  const lines: string[] = []
  for (let row = ROWS - 1; row >= 0; row--) {
    const label = row === ROWS - 1 ? time(top) : row === ROWS / 2 - 1 ? time(top / 2) : ''
    lines.push(`${label.padStart(AXIS)} │${columns.map((column) => cell(column, row, top)).join('')}`.trimEnd())
  }
  const seconds = slices.at(-1)!.t + (slices[1]?.t ?? 0.1)
  lines.push(`${'0'.padStart(AXIS)} └${'─'.repeat(columns.length)}`)
  if (stalls.length > 0) {
    const held = columns.map((_, at) => {
      const [from, to] = [(at * seconds) / columns.length, ((at + 1) * seconds) / columns.length]
      return stalls.some((stall) => stall.from < to && stall.to > from) ? '▀' : ' '
    })
    lines.push(`${'stalls'.padStart(AXIS)}  ${held.join('')}`.trimEnd())
  }
  const end = time(seconds * 1000)
  lines.push(`${' '.repeat(AXIS + 2)}0 s${end.padStart(Math.max(end.length + 1, columns.length - 3))}`)
  return lines
}

function columnsOf(slices: readonly Slice[], width: number): Column[] {
  return Array.from({ length: width }, (_, at) => {
    const from = Math.floor((at * slices.length) / width)
    const some = slices.slice(from, Math.max(from + 1, Math.floor(((at + 1) * slices.length) / width)))
    const halves = some.flatMap(({ p50 }) => p50 ?? []).sort((a, b) => a - b)
    return { half: halves[halves.length >> 1] ?? 0, max: Math.max(0, ...some.map(({ max }) => max ?? 0)), errors: some.some(({ errors }) => errors > 0) }
  })
}

function cell({ half, max, errors }: Column, row: number, top: number): string {
  const level = (ms: number): number => (ms / top) * ROWS - row
  if (level(half) >= 1) return '█'
  if (row === 0 && errors) return '×'
  if (level(max) >= 0.5 && level(max) > level(half) + 0.25) return '░'
  // A column with answers always shows something.
  const eighths = Math.max(row === 0 && max > 0 ? 1 : 0, Math.round(level(half) * 8))
  return EIGHTHS[Math.max(0, eighths)]!
}
