// npm run bench: measures loopscope against its peers, round after round, each sample in a separate process, and prints the
// medians, the ratios and which goals are met. See docs/benchmarks.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { describeMachine, machine } from './lib/machine.mjs'
import { observerLines } from './lib/observer.mjs'
import { implementations, sample } from './lib/peers.mjs'
import { buildAt, buildHookless, buildLoopscope, installPeers } from './lib/prepare.mjs'
import { profile } from './lib/profile.mjs'
import { markdown, terminalTable, verdictLines, writeMarkdown } from './lib/report.mjs'
import { summarize } from './lib/summary.mjs'
import { jobFor, workloads } from './lib/workloads.mjs'

/** What is measured besides the workloads: how soon stalls are reported, and to how many viewers. */
const OBSERVER = 'observer'

const USAGE = `npm run bench -- [options]
  --rounds N        rounds (5); every implementation of a workload is measured once in each
  --only A,B        only these workloads: ${[...Object.keys(workloads), OBSERVER].join(', ')}
  --peers A,B       only against these: native, native-tuned, effect, effect-gen, effection, asyncio, uvloop
  --quick           a tenth of the work: shows that everything runs; its figures mean little
  --json FILE       write samples and summary to FILE
  --markdown FILE   put the table between the marks in FILE
  --from FILE       measure nothing, report what --json wrote before
  --build DIR       measure this build of loopscope instead of making one
  --baseline DIR    measure another build of loopscope too, as a peer named baseline
  --profile A       run workload A alone (of loopscope, or of the first of --peers) under the CPU profiler`

/** @type {{ type: 'string' }} */
const text = { type: 'string' }
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' }, only: text, peers: text, quick: { type: 'boolean', default: false }, json: text,
    markdown: text, from: text, build: text, baseline: text, profile: text, help: { type: 'boolean', default: false },
  },
})
/** @type {any} */
const options = values
const list = (value) => value?.split(',').filter((name) => name !== '')

/** Refuses unknown names, so that a misspelt one does not leave a gap in the table. */
function known(names, all, what) {
  for (const name of names) if (!all.includes(name)) throw new Error(`no ${what} named ${name}; there are: ${all.join(', ')}`)
  return names
}

async function measure() {
  const rounds = Number(options.rounds)
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds takes a whole number from 1, not ${options.rounds}`)
  const build = options.build ? buildAt(options.build) : buildLoopscope()
  const all = implementations({ build, hookless: buildHookless(build), baseline: options.baseline && buildAt(options.baseline) })
  const peers = known(list(options.peers) ?? Object.keys(all).slice(1), Object.keys(all), 'peer')
  const names = Object.keys(all).filter((name) => name === 'loopscope' || peers.includes(name))
  const everything = [...Object.keys(workloads), OBSERVER]
  const chosen = known(list(options.only) ?? everything, everything, 'workload')
  if (names.some((name) => name.startsWith('effect'))) installPeers()
  if (options.profile !== undefined) {
    const name = list(options.peers)?.[0] ?? 'loopscope'
    const [workload] = known([options.profile], Object.keys(workloads), 'workload')
    return void (await profile(workload, all[name], jobFor(workload, name, options)))
  }
  const result = { rounds, quick: options.quick, machine: machine(names, options.build !== undefined), samples: [], failures: [] }
  console.log(describeMachine(result.machine))
  for (let round = 0; round < rounds; round++) await measureRound(round, chosen.filter((name) => name !== OBSERVER), names, all, result)
  if (chosen.includes(OBSERVER)) result.observer = await observerLines(build)
  return result
}

async function measureRound(round, chosen, names, all, result) {
  for (const workload of chosen) {
    const { metric, units, rounds = Infinity } = workloads[workload]
    if (round >= rounds) continue
    const takesPart = (name) => (all[name].only?.includes(workload) ?? true) && (workloads[workload].implementations?.includes(name) ?? true)
    const able = names.filter(takesPart)
    // Each round begins with another implementation, so that none always runs first.
    const order = able.map((_, i) => able[(i + round) % able.length])
    for (const implementation of order) {
      const job = jobFor(workload, implementation, options)
      progress(`round ${round + 1} of ${result.rounds}: ${workload} on ${implementation}`)
      try {
        const { cpu, wall, thread, ...rest } = await sample(all[implementation], job)
        const n = units(job.params)
        if (wall < workloads[workload].atLeastSeconds) throw new Error(`done after ${wall} s: sooner than it can be`)
        result.samples.push({ round, workload, implementation, metric, ...rest, ...(cpu === undefined ? {} : { cpu: cpu / n, wall: wall / n, thread: thread / n }) })
      } catch (error) {
        result.failures.push({ round: round + 1, workload, implementation, reason: error.message })
      }
    }
  }
  progress('')
  if (!process.stderr.isTTY) process.stderr.write(`round ${round + 1} of ${result.rounds} done\n`)
}

function progress(words) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${words}`)
}

async function main() {
  if (options.help) return console.log(USAGE)
  const result = options.from ? JSON.parse(readFileSync(options.from, 'utf8')) : await measure()
  if (result === undefined) return
  const summary = summarize(result)
  console.log(`\n${terminalTable(summary)}\n`)
  if (result.quick) console.log('quick: a tenth of the work; these figures say that it runs, not how fast\n')
  if (result.observer !== undefined) console.log(`${result.observer.join('\n')}\n`)
  console.log(verdictLines(summary).join('\n'))
  if (options.json) writeFileSync(options.json, JSON.stringify({ ...result, summary }, null, 1) + '\n')
  if (options.markdown) writeMarkdown(options.markdown, markdown(result, summary))
  if (result.failures.length > 0) process.exitCode = 1
}

await main()
