// One sample, in a separate process: node --expose-gc sample.mjs PROGRAM JOB, where JOB is the JSON from lib/workloads.mjs.
// Warms up, measures, and prints the result with the measurements as one line of JSON.
import { writeSync } from 'node:fs'
import { Meter, collect } from './lib/meter.mjs'

const [program, job] = [process.argv[2], JSON.parse(process.argv[3])]
const workloads = await import(`./programs/${program}.mjs`)

function report(value, measured) {
  const cpuOfAll = process.cpuUsage()
  const peak = process.resourceUsage().maxRSS * 1024
  writeSync(1, JSON.stringify({ value, ...measured, peak, process: (cpuOfAll.user + cpuOfAll.system) / 1e6 }) + '\n')
  process.exit(0)
}

const { warmup, workload, params, seconds } = job
const warm = new Meter()
do {
  warm.start()
  await workloads[warmup.workload](warmup.params, new Meter())
  warm.stop()
} while (warm.cpu < seconds.warm && warm.wall < seconds.wall)
collect()
const meter = new Meter(report)
const values = new Set()
do {
  meter.start()
  values.add(await workloads[workload](params, meter))
  meter.stop()
} while (meter.cpu < seconds.measured && meter.wall < seconds.wall)
report(values.size === 1 ? [...values][0] : [...values].join(' then '), meter.times())
