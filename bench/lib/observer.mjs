// What the observer delivers: how soon it reports a stall, and how many messages it sends to many viewers. The watched
// program, the viewers and this program are separate processes.
import { fork } from 'node:child_process'
import { median } from './summary.mjs'

const THRESHOLD = 0.05
const AGAIN = 0.1
const STALLS = 20
const STALL_SECONDS = 0.45
const VIEWERS = [1, 100, 1000]
const VIEW_SECONDS = 5
/** With more events a second, this many viewers would need more than a million messages a second. */
const EVENTS_A_SECOND = { 1: 100_000, 100: 15_000, 1000: 1500 }

const seconds = () => Number(process.hrtime.bigint()) / 1e9
const next = (child) =>
  new Promise((resolve, reject) => {
    const onExit = (code) => reject(new Error(`a process of the bench ended early, with ${code}`))
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      resolve(message)
    })
  })
const child = (file, ...args) => fork(new URL(file, import.meta.url), args.map(String))

async function watched(build, rate, use) {
  const program = child('watched.mjs', build, rate)
  try {
    const { url } = await next(program)
    return await use(program, url)
  } finally {
    program.disconnect()
  }
}

/** The arrivals of `loop.blocked` and of any event, in seconds of this machine's clock. */
async function listen(url) {
  /** @type {{ blocked: number[], any: number[] }} */
  const heard = { blocked: [], any: [] }
  const stop = new AbortController()
  const response = await fetch(`${url}/events`, { headers: { accept: 'text/event-stream' }, signal: stop.signal })
  const reading = (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      const at = seconds()
      heard.any.push(at)
      for (const _ of decoder.decode(chunk, { stream: true }).matchAll(/^event: loop\.blocked$/gm)) heard.blocked.push(at)
    }
  })().catch(() => {})
  return { heard, stop: () => (stop.abort(), reading) }
}

/** Milliseconds from the beginning of a stall to its first report, the gaps between reports, and the longest silence. */
export function stalls(build) {
  return watched(build, 1000, async (program, url) => {
    const { heard, stop } = await listen(url)
    await new Promise((resolve) => setTimeout(resolve, 500))
    const first = []
    const gaps = []
    let silence = 0
    let seen = 0
    for (let n = 0; n < STALLS; n++) {
      await new Promise((resolve) => setTimeout(resolve, 200 + 13 * n))
      program.send({ block: STALL_SECONDS })
      const { began, ended } = await next(program)
      await new Promise((resolve) => setTimeout(resolve, 100))
      const during = (times) => times.filter((at) => at >= began && at <= ended)
      const told = during(heard.blocked)
      if (told.length > 0) {
        seen++
        first.push(told[0] - began)
      }
      told.slice(1).forEach((at, i) => gaps.push(at - told[i]))
      const marks = [began, ...during(heard.any), ended]
      marks.slice(1).forEach((at, i) => (silence = Math.max(silence, at - marks[i])))
    }
    await stop()
    return { stalls: STALLS, seen, first: { median: median(first), most: Math.max(...first) }, gaps: { median: median(gaps), most: Math.max(...gaps) }, silence, threshold: THRESHOLD, again: AGAIN }
  })
}

/** Messages a second that reach this many viewers, and how many there were to send. */
export function fanout(build, viewers) {
  return watched(build, EVENTS_A_SECOND[viewers], async (_program, url) => {
    const crowd = child('viewers.mjs', new URL(url).port, viewers, VIEW_SECONDS)
    await next(crowd)
    const result = await next(crowd)
    return { viewers, delivered: result.messages / result.seconds, offered: EVENTS_A_SECOND[viewers] * viewers }
  })
}

const ms = (value) => `${(value * 1000).toFixed(1)} ms`
const thousands = (value) => `${Math.round(value / 1000).toLocaleString('en-US')}k`
const verdict = (met) => (met ? 'met' : 'NOT MET')

/** Measures both, as lines to read. */
export async function observerLines(build) {
  const stall = await stalls(build)
  const within = THRESHOLD + 0.005
  const lines = [
    `stall: ${stall.seen} of ${stall.stalls} stalls of ${STALL_SECONDS * 1000} ms told of while they lasted; first after ${ms(stall.first.median)} (at most ${ms(stall.first.most)}), `
      + `goal ≤ ${ms(within)}: ${verdict(stall.seen === stall.stalls && stall.first.median <= within)}; again every ${ms(stall.gaps.median)} (at most ${ms(stall.gaps.most)}); longest silence ${ms(stall.silence)}`,
  ]
  for (const viewers of VIEWERS) {
    const { delivered, offered } = await fanout(build, viewers)
    const goal = viewers === 1000 ? `, goal ≥ 900k: ${verdict(delivered >= 900_000)}` : ''
    lines.push(`fan-out to ${viewers} viewer${viewers === 1 ? '' : 's'}: ${thousands(delivered)} messages/s delivered, of about ${thousands(offered)} that there were${goal}`)
  }
  return lines
}
