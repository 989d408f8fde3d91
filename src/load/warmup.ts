// Before a measurement, each lane is called once, so that its threads and code are warm.
import { request } from 'undici'
import { laneOf, type LaneName } from './scenarios.ts'
import { TargetError } from './plan.ts'
import { parseTiming } from './timing.ts'

/** Calls each lane of the server at `origin` once. Throws a TargetError if that is not a loopscope server, or does not serve a lane. */
export async function warm(origin: string, lanes: readonly LaneName[]): Promise<void> {
  const paths = ['/ping', ...lanes.map((lane) => laneOf(lane).path(1))]
  for (const path of paths) {
    const { statusCode, headers, body } = await request(`${origin}${path}`, { headersTimeout: 10_000 }).catch((error: unknown) => {
      throw new TargetError(`${origin}${path} gave no answer: ${(error as Error).message}`)
    })
    const text = await body.text()
    const timing = headers['server-timing']
    if (typeof timing !== 'string' || parseTiming(timing) === null) throw new TargetError(`${origin} is no loopscope server: its answer to ${path} has none of the Server-Timing that the lab reads`)
    if (statusCode === 429) throw new TargetError(`${origin} limits calls to ${path}: start it with RATE_LIMIT=0`)
    if (statusCode !== 200) throw new TargetError(`${origin}${path} answered ${statusCode}: ${text.slice(0, 200)}`)
  }
}
