// The results of a load test for people: a table, notes on it, and latency over time.
import type { LoadResult, StreamResult } from './result.ts'
import type { Stall } from './stalls.ts'
import { chart } from './chart.ts'
import { BUSY } from './result.ts'
import { count, plural, table, time } from './format.ts'

const HEAD = ['', 'p50', 'p90', 'p99', 'p99.9', 'max', 'answers', 'a second', 'errors']
const MOST_CHARTS = 4
const MOST_STALLS = 6
/** A request that was sent this many ms late may be the slowest one because of that. */
const LATE_MAX_MS = 20

/** The whole report; `width` in characters. */
export function report(result: LoadResult, width: number): string {
  const { streams, stalls } = result
  const parts = [headline(result), table([HEAD, ...streams.map(row)])]
  const went = whereItWent(streams)
  if (went !== null) parts.push(went)
  const notes = [...streams.flatMap((stream) => notesOn(stream, result)), ...(stalls.length === 0 ? [] : [stallLines(stalls, result.stallsFrom)])]
  if (notes.length > 0) parts.push(notes.join('\n'))
  const drawn = streams.filter(({ sent }) => sent >= 10).slice(0, MOST_CHARTS)
  for (const stream of drawn) {
    const lines = chart(stream.slices, stalls, width)
    if (lines.length > 0) parts.push([`latency of ${stream.name} over time: █ half stay below  ░ the slowest${'errors' in stream && Object.keys(stream.errors).length > 0 ? '  × errors' : ''}`, ...lines].join('\n'))
  }
  return `${parts.join('\n\n')}\n`
}

function headline({ ended, reason, seconds, warmup, streams }: LoadResult): string {
  const how = streams.map(({ name, method, url, arrivals, rate, connections, sent }) => {
    const pace = rate !== null ? `${count(rate)}/s ${arrivals}` : arrivals === 'burst' ? `${count(sent)} at once` : `${count(connections)} in flight, closed`
    return `${name}: ${method} ${url} · ${pace}`
  })
  const took = `${seconds.toFixed(1)} s measured${warmup > 0 ? ` after ${warmup} s of warm-up` : ''}`
  const why = ended === 'finished' ? '' : `\nended early: ${reason ?? ended}. What follows is what was measured until then.`
  return `${how.join('\n')}\n${took}${why}`
}

function row({ name, latency, good, throughput, errors }: StreamResult): string[] {
  const times = latency === null ? ['-', '-', '-', '-', '-'] : [latency.p50, latency.p90, latency.p99, latency.p999, latency.max].map(time)
  return [name, ...times, count(good), count(throughput), count(Object.values(errors).reduce((sum, one) => sum + one, 0))]
}

function whereItWent(streams: readonly StreamResult[]): string | null {
  const rows = streams.flatMap(({ name, serverTiming: timing }) => (timing === null ? [] : [[name, ...[timing.run, timing.ready, timing.wait, timing.thread].map(time)]]))
  if (rows.length === 0) return null
  return table([['where the time went, by the server (mean)', 'run', 'ready', 'wait', 'thread'], ...rows])
}

/** What a reader of the table must know. */
export function notesOn(stream: StreamResult, { ended, busy }: Pick<LoadResult, 'ended' | 'busy'>): string[] {
  const { name, arrivals, rate, errors, sent, good, unanswered, oldest, crowded, connections, latency, schedule } = stream
  const notes: string[] = []
  const kinds = Object.entries(errors).sort(([, a], [, b]) => b - a).map(([kind, times]) => `${count(times)} × ${kind}`)
  if (kinds.length > 0) notes.push(`${name}: errors: ${kinds.join(', ')}`)
  if (errors['timeout'] !== undefined) notes.push(`${name}: ${plural(errors['timeout'], 'request')} given up count in the percentiles, with the time until then.`)
  if (unanswered > 0) notes.push(`${name}: ${plural(unanswered, 'request')} unanswered when it ${ended === 'interrupted' ? 'was interrupted' : 'ended'}, the oldest for ${time(oldest)}, not in the figures.`)
  if (sent > 0 && good === 0 && unanswered === 0) notes.push(`${name}: no good answer.`)
  if (arrivals === 'closed') notes.push(`${name}: a closed loop sends nothing while it waits for answers, so a stall counts once where it would have hit many: these percentiles flatter the server.`)
  else if (crowded > sent / 100) {
    const slow = rate !== null && schedule.held < rate * 0.95 ? `, and ${count(schedule.held)} of ${count(rate)} a second went out in time` : ''
    notes.push(`${name}: ${count(crowded)} of ${plural(sent, 'request')} waited for one of ${plural(connections, 'connection')}${slow}; that is in their latency. --connections allows more.`)
  }
  const words = scheduleWords(stream, busy)
  if (words !== null) notes.push(words)
  else if (latency !== null && schedule.max > LATE_MAX_MS && schedule.max > latency.max / 10) {
    notes.push(`${name}: the schedule was kept, but for a moment: a request left ${time(schedule.max)} late, so up to that much of the max is the tester's own.`)
  }
  return notes
}

/** By how much the tester could not keep its own schedule, and what limited it; `null` if it could. */
export function scheduleWords({ name, rate, arrivals, sent, schedule }: StreamResult, busy: number): string | null {
  const { kept, late, unsent, p99, max, held } = schedule
  if (kept || arrivals === 'closed') return null
  const lines = [`${name}: WARNING: the schedule was not kept.`]
  if (rate !== null && (unsent > 0 || busy > BUSY)) {
    const limit = busy > BUSY ? `; the tester was busy for ${Math.round(busy * 100)} % of the time: that is what this machine can do as it is now.` : '.'
    lines.push(`of ${count(rate)} requests a second that were asked for, ${count(held)} went out${limit}`)
  }
  if (unsent > 0) lines.push(`${count(unsent)} requests never left.`)
  if (late > 0) lines.push(`${count(late)} of ${plural(sent, 'request')} left more than 5 ms late, p99 ${time(p99)}, at most ${time(max)}: that much of the latencies is the tester's own.`)
  return lines.join('\n  ')
}

function stallLines(stalls: readonly Stall[], from: LoadResult['stallsFrom']): string {
  const whole = stalls.reduce((sum, stall) => sum + stall.to - stall.from, 0)
  const longest = [...stalls].sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, MOST_STALLS).sort((a, b) => a.from - b.from)
  const source = from === 'observer' ? 'as its observer reported' : 'as its answers show'
  return [
    `the server's loop stalled ${plural(stalls.length, 'time')}, ${time(whole * 1000)} in all, ${source}${stalls.length > longest.length ? '; the longest' : ''}:`,
    ...longest.map(({ from: begin, to, name }) => `  at ${begin.toFixed(2)} s for ${time((to - begin) * 1000)}: ${name}`),
  ].join('\n')
}

const CSV_HEAD = 'stream,seconds,sent,answered,errors,p50_ms,p99_ms,max_ms'

/** Latencies over time, a line for each stream and slice. */
export function csv({ streams }: LoadResult): string {
  const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const lines = streams.flatMap(({ name, slices }) => slices.map(({ t, sent, answered, errors, p50, p99, max }) => [quoted(name), t, sent, answered, errors, p50 ?? '', p99 ?? '', max ?? ''].join(',')))
  return `${[CSV_HEAD, ...lines].join('\n')}\n`
}
