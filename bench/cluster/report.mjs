// The figures of cluster.mjs as tables, and what more would need, calculated only from these figures.
function thousands(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)}M`
  return value >= 100_000 ? `${Math.round(value / 1000)}k` : Math.round(value).toLocaleString('en-US')
}

const ms = (value) => (value === null ? '–' : `${(value * 1000).toFixed(0)} ms`)
const us = (value) => (Number.isFinite(value) ? `${(value * 1e6).toFixed(1)} µs` : '–')
const table = (rows) => rows.map((row) => `| ${row.join(' | ')} |`).join('\n')

const arrivedOf = ({ all, missing, wanted }) => (all ? 'all' : missing > 0 ? `all but ${(missing / wanted * 100).toFixed(1)} %` : 'late')

/** What a message costs the observers that send it, in seconds: the load of the processes, minus that of one that only makes the events. */
function messageCost({ cpu, observers, delivered }, idle) {
  const showing = Object.entries(cpu).filter(([name]) => observers === 3 || name !== (cpu.two === undefined ? '' : 'one'))
  return showing.reduce((sum, [name, load]) => sum + load - idle.cpu[name], 0) / delivered
}

/** What an event costs in each process, in seconds of processor time: from the fastest step at which everything arrived. */
export function costs({ idle, single, pair }) {
  const both = pair.findLast((step) => step.all && single.some(({ rate, all }) => rate === step.rate && all)) ?? pair[0]
  const own = single.find(({ rate }) => rate === both.rate) ?? single[0]
  const each = (cpu, made) => cpu / made
  return {
    rate: both.rate,
    recording: each(own.cpu.alone - idle.cpu.alone, own.made),
    publishing: each(both.cpu.one - idle.cpu.one, both.made),
    following: each(both.cpu.three - idle.cpu.three, both.made),
    redis: each(both.redisCpu - idle.redisCpu, both.made),
    bytes: both.redisBytes / both.made,
  }
}

export function report(result) {
  const { idle, single, pair, trio, memory, crowds } = result
  const cost = costs(result)
  const steps = (title, list, loops) => list.map((step) => [
    title, thousands(step.rate * loops), thousands(step.made), thousands(step.delivered), arrivedOf(step),
    ms(step.p50), ms(step.p99), Object.values(step.cpu).map((cpu) => cpu.toFixed(2)).join(' + '), step.redisCpu === null ? '–' : step.redisCpu.toFixed(2),
  ])
  return [
    `Measured on: ${result.machine}, redis ${result.redis}; windows of ${result.seconds} s. All processes and those who watch share the cores.`,
    table([
      ['', 'events/s wanted', 'made', 'delivered', 'arrived', 'delay p50', 'p99', 'processes, cores', 'Redis, cores'], ['---', ...Array(8).fill('--:')],
      ...steps('one process, no Redis', single, 1), ...steps('one of three makes them', pair, 1), ...steps('all three make them', trio, 3),
    ]),
    table([
      ['an event costs', `processor time, at ${thousands(cost.rate)} events/s`], ['---', '--:'],
      ['the process whose loop it is of, alone: recording it, telling one watcher', us(cost.recording)],
      ['the process whose loop it is of, in a cluster: recording it, publishing it', us(cost.publishing)],
      ['Redis, with two that follow', us(cost.redis)],
      ['each process that follows the loop', us(cost.following)],
    ]),
    `A loop at rest costs its process ${idle.cpu.three.toFixed(3)} cores in a cluster of three and ${idle.cpu.alone.toFixed(3)} alone, and Redis ${idle.redisCpu.toFixed(3)}. `
      + `An event is ${Math.round(memory.sent)} bytes of JSON and takes ${Math.round(memory.each)} bytes of Redis' memory; ${thousands(memory.kept)} are kept of a loop, ${(memory.bytes / 1e6).toFixed(1)} MB. `
      + `Redis' network carries ${Math.round(cost.bytes)} bytes for each, in and out.`,
    table([
      ['watchers', 'of', 'messages/s there were', 'delivered', 'arrived', 'delay p50', 'p99', 'processes, cores', 'a message costs its observer'], ['--:', '---', ...Array(7).fill('--:')],
      ...crowds.map((step) => {
        return [
          thousands(step.watchers), step.where, thousands(step.made * step.watchers), thousands(step.delivered), arrivedOf(step), ms(step.p50), ms(step.p99),
          Object.values(step.cpu).map((cpu) => cpu.toFixed(2)).join(' + '), us(messageCost(step, idle)),
        ]
      }),
    ]),
    growth(result),
  ].join('\n\n')
}

/** The share of each core that may be planned for. */
const SHARE = 0.5

/** What more would need, from these figures alone: each line shows its sum. */
function growth(result) {
  const { memory, crowds, idle } = result
  const cost = costs(result)
  const moved = cost.redis / 3
  const message = Math.max(...crowds.filter(({ all }) => all).map((step) => messageCost(step, idle)))
  const bytes = Math.round(memory.sent)
  const cores = (value) => `${value < 10 ? Number(value.toPrecision(2)) : Math.round(value).toLocaleString('en-US')} cores`
  const mega = (value) => (value >= 1e9 ? `${(value / 1e9).toFixed(1)} GB/s` : `${(value / 1e6).toFixed(1)} MB/s`)
  const processes = (load) => Math.ceil(load / SHARE).toLocaleString('en-US')
  const everybody = (loops, rate) => {
    const reads = loops * (loops - 1) * rate
    return [
      `each of ${loops} follows all others, ${thousands(rate)} events/s each`,
      `a process: ${loops - 1} × ${thousands(rate)} × ${us(cost.following)} = ${cores((loops - 1) * rate * cost.following)}`,
      `(${thousands(loops * rate)} + ${thousands(reads)}) × ${us(moved)} = ${cores((loops * rate + reads) * moved)}; ${thousands(reads)} × ${bytes} B = ${mega(reads * bytes)}`,
    ]
  }
  const [loops, rate] = [2000, 1000]
  const all = loops * rate
  const [watchers, seen] = [100_000, 100]
  return [
    '**More of it, calculated** from the costs above, at half of each core. What Redis does for an event is one write and two reads in these figures, '
      + `${us(moved)} each; a message to a watcher costs its observer ${us(message)} at worst.`,
    table([
      ['', 'processes', 'Redis'], ['---', '---', '---'],
      everybody(3, 20_000), everybody(20, 1000), everybody(100, 1000),
      [
        `${thousands(loops)} loops, ${thousands(rate)} events/s each, each followed by one of a tier of observers`,
        `loops: ${thousands(rate)} × ${us(cost.publishing)} = ${cores(rate * cost.publishing)} each. Observers: ${thousands(all)} × ${us(cost.following)} = ${cores(all * cost.following)}, ${processes(all * cost.following)} processes`,
        `2 × ${thousands(all)} × ${us(moved)} = ${cores(2 * all * moved)}, ${processes(2 * all * moved)} partitions; ${thousands(all)} × ${bytes} B = ${mega(all * bytes)} in and out; ${loops} × ${(memory.bytes / 1e6).toFixed(1)} MB = ${(loops * memory.bytes / 1e9).toFixed(1)} GB kept`,
      ],
      [
        `${thousands(watchers)} watchers of loops that make ${seen} events/s each`,
        `${thousands(watchers)} × ${seen} × ${us(message)} = ${cores(watchers * seen * message)}, ${processes(watchers * seen * message)} processes of ${thousands(Math.ceil(watchers / Math.ceil(watchers * seen * message / SHARE)))} watchers; ${thousands(watchers * seen)} × ${bytes + 4} B = ${mega(watchers * seen * (bytes + 4))} to them`,
        'reads once for each process that shows a loop, not for each watcher',
      ],
    ]),
  ].join('\n\n')
}
