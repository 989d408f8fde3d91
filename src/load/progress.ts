// Progress of a test, in one line on a terminal; nothing otherwise.
import type { Progress } from './run.ts'
import { count, time } from './format.ts'

const EVERY_MS = 200

/** Updates the line until the returned function is called, which clears it. */
export function liveLine(terminal: NodeJS.WriteStream, textOf: () => string | null): () => void {
  if (!terminal.isTTY) return () => {}
  const write = (text: string): void => {
    terminal.write(`\r\x1b[K${text.slice(0, (terminal.columns || 80) - 1)}`)
  }
  const timer = setInterval(() => write(textOf() ?? ''), EVERY_MS)
  return () => {
    clearInterval(timer)
    write('')
  }
}

/** The text for a run under way. */
export function progressText({ seconds, streams }: Progress, duration: number): string {
  const when = seconds < 0 ? `warm-up, ${(-seconds).toFixed(1)} s left` : `${Math.min(seconds, duration).toFixed(1)} of ${duration} s`
  const parts = streams.map(({ plan, stats: { sent, late, latencies, errors }, inFlight }) => {
    const failed = [...errors.values()].reduce((sum, one) => sum + one, 0)
    const times = latencies.count === 0 ? '' : ` p50 ${time(latencies.at(50))} p99 ${time(latencies.at(99))} max ${time(latencies.at(100))}`
    return `${plan.name}: ${count(sent)} sent, ${count(inFlight)} waiting${times}${failed > 0 ? `, ${count(failed)} errors` : ''}${late > 0 ? `, ${count(late)} left late` : ''}`
  })
  return [when, ...parts].join(' · ')
}
