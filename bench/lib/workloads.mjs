// The workloads: how much each does, what its result must be, and what is counted. The programs in programs/ know only
// `params`.
import { totalmem } from 'node:os'

const sumTo = (n) => (n * (n - 1)) / 2
const sleepers = totalmem() > 12 * 2 ** 30 ? 1_000_000 : 200_000

/**
 * `count` names the parameter that scales the work; `unit` is what one of `units(params)` is; `metric` is what the ratios
 * compare: `cpu`, `wall` and `thread` seconds (the processor time of the loop's own thread), or `rss` bytes. `program` is
 * set if it is not the workload's name; `implementations` if not all take part; `rounds` if fewer suffice.
 */
export const workloads = {
  spawn: {
    title: 'tasks that return at once, gathered',
    params: { tasks: 100_000 }, count: 'tasks', metric: 'cpu', unit: 'task',
    units: (p) => p.tasks,
    expected: (p) => sumTo(p.tasks),
  },
  switch: {
    program: 'switching',
    title: '100 tasks that give way 10,000 times each',
    params: { tasks: 100, each: 10_000 }, count: 'each', metric: 'cpu', unit: 'switch',
    units: (p) => p.tasks * p.each,
    expected: (p) => p.tasks * p.each,
  },
  pingpong: {
    title: 'round trips between two tasks over two queues of size 1',
    params: { rounds: 100_000 }, count: 'rounds', metric: 'cpu', unit: 'round trip',
    units: (p) => p.rounds,
    expected: (p) => sumTo(p.rounds + 1),
  },
  queue: {
    title: 'items from 4 producers to 4 consumers through a queue of size 100',
    params: { producers: 4, consumers: 4, items: 400_000, maxsize: 100 }, count: 'items', metric: 'cpu', unit: 'item',
    units: (p) => p.items,
    expected: (p) => sumTo(p.producers) * p.items * (p.items / p.producers) + p.producers * sumTo(p.items / p.producers),
  },
  timers: {
    title: 'sleeps of 0 to 500 ms, started at once',
    params: { tasks: 100_000, spread: 501 }, count: 'tasks', metric: 'cpu', unit: 'sleep',
    units: (p) => p.tasks,
    expected: (p) => sumTo(p.tasks),
    atLeastSeconds: 0.5,
  },
  memory: {
    title: 'sleeping tasks, resident memory each',
    params: { tasks: sleepers }, count: 'tasks', metric: 'rss', unit: 'task',
    rounds: 2, // resident memory differs by one per cent between runs, and a million tasks take long to make
    units: () => 1,
    expected: (p) => p.tasks,
    // Loads the code that sleeping needs; its garbage is collected before the baseline is read.
    warmup: { workload: 'timers', params: { tasks: 1000, spread: 20 } },
  },
  deep: {
    title: 'calls 50 awaits deep, one suspension at the bottom',
    params: { depth: 50, times: 20_000 }, count: 'times', metric: 'cpu', unit: 'call',
    units: (p) => p.times,
    expected: (p) => p.depth * p.times,
  },
  events: {
    title: 'the switch workload, not watched (loopscope), without any hooks (hookless) and recorded',
    // The observer decodes on a second thread, so its processor time is not a cost to the loop.
    params: { tasks: 100, each: 10_000 }, count: 'each', metric: 'thread', unit: 'switch', implementations: ['loopscope', 'hookless', 'recording'],
    units: (p) => p.tasks * p.each,
    expected: (p) => p.tasks * p.each,
  },
  resuspend: {
    title: 'suspensions 50 awaits deep, 1,000 a call',
    params: { depth: 50, suspensions: 1000, times: 300 }, count: 'times', metric: 'cpu', unit: 'suspension',
    units: (p) => p.suspensions * p.times,
    expected: (p) => p.suspensions * p.times,
  },
  'resuspend-flat': {
    program: 'resuspend',
    title: 'the same suspensions, one await deep',
    params: { depth: 1, suspensions: 1000, times: 300 }, count: 'times', metric: 'cpu', unit: 'suspension',
    units: (p) => p.suspensions * p.times,
    expected: (p) => p.suspensions * p.times,
  },
  cancel: {
    title: 'sleeping tasks cancelled, and awaited to their end',
    params: { tasks: 100_000 }, count: 'tasks', metric: 'wall', unit: 'task',
    units: (p) => p.tasks,
    expected: (p) => p.tasks,
  },
}

/** Workloads that a peer gets less of, because all of it would take minutes or too much memory. */
const shares = {
  effection: { spawn: 10, timers: 10, cancel: 10, memory: 20, switch: 10, deep: 10, resuspend: 10, 'resuspend-flat': 10 },
}

/**
 * The least CPU seconds of a sample's warm-up and measurement: short work is repeated. Work that mostly sleeps stops at
 * `wall` seconds. CPU time is counted so that a busy machine does not shorten a warm-up. The warm-up is long because V8
 * compiles in steps: with a fifth of it, a sample mostly measures the compiler.
 */
const SECONDS = { warm: 1.5, measured: 1, wall: 4 }

/** The job of one sample: warm-ups of a fifth of the work each, then the work. */
export function jobFor(name, program, { quick }) {
  const { program: workload = name, count, expected, ...rest } = workloads[name]
  const share = (shares[program]?.[name] ?? 1) * (quick ? 10 : 1)
  const params = { ...rest.params, [count]: rest.params[count] / share }
  const warmup = rest.warmup ?? { workload, params: { ...params, [count]: params[count] / 5 } }
  return { workload, params, expected: expected(params), warmup, seconds: SECONDS }
}
