// Makes the tries, many at once, in batches; after each the server must be as before.
import { Client } from './client.ts'
import { judge, type Finding } from './judge.ts'
import type { Subject } from './subject.ts'
import { makeTry, type Numbered } from './tries.ts'

/** How many are under way at once. */
const AT_ONCE = 48
export const BATCH = 200

export interface Found extends Finding {
  /** The try; `null`: it was found after the batch that ended with `until`. */
  one: Numbered | null
  until: number
}

export interface Ran {
  tries: number
  kinds: Map<string, number>
  /** The number of answers by status; WebSockets under 101. */
  statuses: Map<number, number>
  messages: number
  findings: Found[]
}

export interface RunOptions {
  seed: number
  first: number
  tries: number
  /** After how many findings to stop. */
  most: number
  /** Whether a finding is the wanted one. */
  enough?: (finding: Found) => boolean
  progress?: (ran: Ran) => void
}

export async function run(subject: Subject, { seed, first, tries, most, enough = () => false, progress }: RunOptions): Promise<Ran> {
  const ran: Ran = { tries: 0, kinds: new Map(), statuses: new Map(), messages: 0, findings: [] }
  const client = new Client(subject.ports)
  for (let from = first; from < first + tries && ran.findings.length < most && !ran.findings.some(enough) && subject.alive; from += BATCH) {
    const until = Math.min(from + BATCH, first + tries)
    let next = from
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, until - from) }, async () => {
      while (next < until && subject.alive) await play(next++)
    }))
    client.close()
    for (const finding of await subject.check()) ran.findings.push({ ...finding, one: null, until })
    progress?.(ran)
  }
  return ran

  async function play(number: number): Promise<void> {
    const one = makeTry(seed, number, subject.surface)
    const outcome = await client.play(one)
    ran.tries++
    ran.kinds.set(one.kind, (ran.kinds.get(one.kind) ?? 0) + 1)
    for (const { status } of outcome.answers.all) ran.statuses.set(status, (ran.statuses.get(status) ?? 0) + 1)
    ran.messages += outcome.frames.types.length
    // If the server has died, that is the process' end, which is a finding of the batch.
    const finding = judge(one, outcome, subject.surface.sentinel.says)
    if (finding !== null && ran.findings.length < most) ran.findings.push({ ...finding, one, until: number })
  }
}
