// The loops that can be watched, as a text table.
import type { LoopInfo, LoopList } from '../schema.ts'

const HEADINGS = ['', 'loop', 'state', 'since', 'tasks', 'runs', 'stalls', 'busy', 'observer', 'blocked by']
/** Columns of numbers are right-aligned. */
const RIGHT = new Set([4, 5, 6, 7])

/** How long ago, as text. */
function ago(iso: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000)
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}

function rowOf(info: LoopInfo, now: number): string[] {
  const { loop, state, since, self, tasks, runs, stalls, utilization, observer, blocked } = info
  return [
    self ? '*' : '', loop, state, ago(since, now), String(tasks), String(runs), String(stalls), `${Math.round(utilization * 100)} %`,
    observer ?? '-', blocked === null ? '' : `${blocked.name} for ${blocked.seconds.toFixed(1)} s${blocked.kind === undefined ? '' : `, ${blocked.kind}`}`,
  ]
}

/** Notes below the table: what `*` means, and which other loops there may be. */
function notes({ redis, group }: LoopList, now: number): string[] {
  if (group) return ['* this process, which serves this view; processes that it starts, or that are started with it, are listed here as well']
  if (redis === null) return ['* this process, and no other: with REDIS_URL set, processes that share a Redis see each other']
  const { state, reason, since, published, lost, received, missed, away } = redis
  const gone = away === 0 ? '' : `, it was away ${away} ${away === 1 ? 'time' : 'times'}`
  return [
    '* this process',
    `Redis: ${state} for ${ago(since, now)}${reason === undefined ? '' : ` (${reason})`}${gone}; events published ${published}, lost ${lost}; of others received ${received}, missed ${missed}`,
  ]
}

/** Draws the loops as of `now`, in ms since 1970. */
export function loopTable(list: LoopList, now: number): string {
  const rows = [HEADINGS, ...list.loops.map((info) => rowOf(info, now))]
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)))
  const lines = rows.map((row) => row.map((cell, column) => (RIGHT.has(column) ? cell.padStart(widths[column] as number) : cell.padEnd(widths[column] as number))).join('  ').trimEnd())
  return `${[...lines, '', ...notes(list, now)].join('\n')}\n`
}
