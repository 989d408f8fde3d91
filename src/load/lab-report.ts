// The lab's results, as a table and as sentences. Every sentence is derived from the figures, and left out if they do not show
// it.
import type { LaneResult, LabOptions } from './lab.ts'
import { laneOf } from './scenarios.ts'
import { count, plural, table, time } from './format.ts'

/** Probes that stay below this, in ms, were not delayed. */
const QUIET_MS = 20

type Asked = Pick<LabOptions, 'requests' | 'ms' | 'rate'>

/** The table and what it means. */
export function labReport(results: readonly LaneResult[], asked: Asked): string {
  if (results.length === 0) return 'no lane was measured to its end\n'
  const caveats = results.flatMap((result) => caveatsOf(result).map((caveat) => `${result.lane}: ${caveat}`)).join('\n')
  return `${[labTable(results, asked), ...labWords(results, asked), ...(caveats === '' ? [] : [caveats])].join('\n\n')}\n`
}

function labTable(results: readonly LaneResult[], { requests, ms, rate }: Asked): string {
  const rows = results.map((result) => {
    const { lane, probes, load } = result
    const parts = load.timing === null ? ['-', '-', '-', '-'] : [load.timing.run, load.timing.ready, load.timing.wait, load.timing.thread].map(time)
    return [
      lane, ...(probes === null ? ['-', '-', '-'] : [probes.p50, probes.p99, probes.max].map(time)), '│',
      time(load.seconds * 1000), load.latency === null ? '-' : time(load.latency.mean), '│', ...parts, '│', stalled(result),
    ]
  })
  const head = ['lane', 'p50', 'p99', 'max', '│', 'took', 'mean', '│', 'run', 'ready', 'wait', 'thread', '│', 'stalled']
  const body = table([head, ...rows], [0, head.length - 1])
  const bars = [...body.split('\n')[0]!.matchAll(/│/g)].map(({ index }) => index)
  const titles = [`/ping, ${count(rate)} a second`, `${count(requests)} × ${time(ms)}`, 'parts of a request', '']
  let above = ''
  titles.forEach((title, at) => {
    const end = bars[at] ?? body.length
    above = at === 0 ? title.padStart(bars[0]! - 1).padEnd(end) : `${above}│ ${title}`.padEnd(bars[at] ?? 0)
  })
  return `${above.trimEnd()}\n${body}`
}

function stalled({ lane, stall }: LaneResult): string {
  if (stall.kind === 'loop') return `the loop, ${time(stall.loopSeconds * 1000)}`
  if (stall.kind === 'thread') return `${threadsOf(lane)}, ${time(stall.threadSeconds * 1000)}`
  return 'nothing'
}

function threadsOf(lane: LaneResult['lane']): string {
  if (lane === 'pool') return 'the pool'
  return lane === 'sensitive-per-request' ? 'starting threads' : 'the sync thread'
}

/** What the table means: for all other requests, for the load itself, and for the two stalls. */
export function labWords(results: readonly LaneResult[], { requests, ms }: Asked): string[] {
  const held = results.filter(({ stall, probes }) => stall.kind === 'loop' && probes !== null)
  const free = results.filter((result) => !held.includes(result) && result.probes !== null)
  return [forEverybody(held, free, ms), forTheLoad(free, requests, ms), twoStalls(held, free)].filter((text) => text !== '')
}

function forEverybody(held: readonly LaneResult[], free: readonly LaneResult[], ms: number): string {
  const quiet = free.filter(({ probes }) => probes!.p99 <= QUIET_MS)
  const most = quiet.length === 0 ? null : Math.max(...quiet.map(({ probes }) => probes!.p99))
  const parts = held.map(({ lane, probes, stall }) => {
    const least = probes!.p99 >= ms ? `, at least one blocking call of ${time(ms)}` : ''
    const times = most === null ? '' : ` and ${count(Math.round(probes!.p99 / Math.max(0.01, most)))} times the highest p99 with ${names(quiet, 'or')}`
    return `${lane} blocked the loop for ${time(stall.loopSeconds * 1000)}, and delayed all other requests: the probes' p99 was ${time(probes!.p99)}${least}${times}`
  })
  if (most !== null) parts.push(`${names(quiet)} left the loop free, and the probes' p99 stayed at or below ${time(most)}`)
  for (const { lane, probes, stall } of free.filter((result) => !quiet.includes(result))) {
    const why = lane === 'sensitive-per-request' ? 'starting threads costs time, on the loop as well' : 'the processors were busy'
    parts.push(`with ${lane} the probes' p99 was ${time(probes!.p99)}, although no call blocked the loop for long (short blocks add up to ${time(stall.loopSeconds * 1000)}): ${why}`)
  }
  return sentence(parts.join('; '))
}

function forTheLoad(free: readonly LaneResult[], requests: number, ms: number): string {
  const parts = free.filter(({ load }) => load.good > 0).map(({ lane, load, stall }) => {
    const took = `${lane} took ${time(load.seconds * 1000)}`
    if (lane === 'sensitive-per-request') return `${took}, ${laneOf(lane).where}, for which the last waited ${time(stall.threadSeconds * 1000)}`
    const atOnce = (load.good * ms) / 1000 / Math.max(0.001, load.seconds)
    const order = atOnce < 1.25 && load.good > 1 ? `one after another (${count(load.good)} × ${time(ms)} is ${time(load.good * ms)})` : `about ${Math.round(atOnce)} at a time`
    return `${took}, ${order}, ${laneOf(lane).where}`
  })
  return parts.length === 0 ? '' : sentence(`A free loop does not make the ${plural(requests, 'request')} themselves quick: ${parts.join('; ')}`)
}

function twoStalls(held: readonly LaneResult[], free: readonly LaneResult[]): string {
  const loop = held.find(({ lane }) => lane === 'inline') ?? held[0]
  const thread = free.find(({ lane, stall }) => lane === 'sensitive' && stall.kind === 'thread')
  const lines: string[] = []
  if (loop !== undefined) lines.push(`the loop's stall (${loop.lane}): nothing moves, /ping is delayed like all others, p99 ${time(loop.probes!.p99)}`)
  if (thread !== undefined) {
    lines.push(`the sync thread's stall (${thread.lane}): the loop runs on, /ping p99 ${time(thread.probes!.p99)}; only calls for that thread queue, the last for ${time(thread.stall.threadSeconds * 1000)}`)
  }
  return lines.length < 2 ? '' : `These are two different stalls:\n${lines.map((line) => `  ${line}`).join('\n')}`
}

/** What a reader must know to trust a lane's figures, for the terminal, the page and the API. */
export function caveatsOf({ load, schedule, ended, reason }: Pick<LaneResult, 'load' | 'schedule' | 'ended' | 'reason'>): string[] {
  const caveats: string[] = []
  const errors = Object.entries(load.errors).map(([kind, times]) => `${count(times)} × ${kind}`)
  if (errors.length > 0) caveats.push(`errors: ${errors.join(', ')}`)
  if (load.errors['HTTP 429'] !== undefined) caveats.push('the server limits such calls: start it with RATE_LIMIT=0')
  if (!schedule.kept) caveats.push(`WARNING: the probes did not keep their schedule: p99 ${time(schedule.p99)}, at most ${time(schedule.max)} late, which is part of what they measured`)
  if (ended !== 'finished') caveats.push(`ended early: ${reason ?? ended}`)
  return caveats
}

function names(results: readonly LaneResult[], word: 'and' | 'or' = 'and'): string {
  const all = results.map(({ lane }) => lane)
  return all.length <= 1 ? all.join('') : `${all.slice(0, -1).join(', ')} ${word} ${all.at(-1)}`
}

function sentence(text: string): string {
  return text === '' ? '' : `${text[0]!.toUpperCase()}${text.slice(1)}.`
}
