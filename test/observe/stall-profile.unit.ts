// Profiles of stalls: shares, a flame graph, and two formats.
import t from 'tap'
import type { Span } from '../../src/observe/stack-samples.ts'
import { StallProfile } from '../../src/observe/stall-profile.ts'

interface Speedscope {
  shared: { frames: object[] }
  profiles: [{ type: string; samples: number[][]; weights: number[]; endValue: number }]
}

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string }; children: number[] }[]
  samples: number[]
  timeDeltas: number[]
  startTime: number
  endTime: number
}

/** Functions, innermost first. */
const span = (seconds: number, functions: string, native = false): Span => ({
  seconds, native, name: functions, origin: undefined,
  frames: functions === '' ? [] : functions.split(' ').map((name) => ({ function: name, file: 'app.ts', line: name.length, column: 1 })),
})

const profile = new StallProfile('GET /report #7', 10, 3, [
  span(0.15, 'prepare report'), span(0.5, 'load report'), span(1, 'render report'), span(0.5, 'render report', true), span(0.8, 'report'),
])

t.test('has shares of lines, and native code apart', async (t) => {
  t.same(profile.shares().map(({ function: fn, seconds, native = false }) => [fn, seconds, native]), [
    ['render', 1, false], ['report', 0.8, false], ['load', 0.5, false], ['render', 0.5, true], ['prepare', 0.15, false],
  ])
})

t.test('has the boxes of a flame graph, largest first, and those that they called', async (t) => {
  t.same(profile.flame().map(({ depth, function: fn, seconds }) => [depth, fn, seconds]), [
    [0, 'report', 2.95], [1, 'render', 1.5], [2, '(native code)', 0.5], [1, 'load', 0.5], [1, 'prepare', 0.15],
    [0, '(no stack)', 0.05],
  ])
})

t.test('is written for speedscope: all weights together are the stall', async (t) => {
  const { profiles: [{ samples, weights, endValue, type }], shared } = JSON.parse(profile.speedscope()) as Speedscope
  t.same([type, endValue, samples.length], ['sampled', 3, weights.length])
  t.ok(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 3) < 1e-6)
  t.same(samples[0]?.map((index) => shared.frames[index]), [{ name: 'report', file: 'app.ts', line: 6, col: 1 }, { name: 'prepare', file: 'app.ts', line: 7, col: 1 }])
})

t.test('is written as V8 does: nodes with children, and the time before each sample', async (t) => {
  const { nodes, samples, timeDeltas, startTime, endTime } = JSON.parse(profile.cpuprofile()) as CpuProfile
  t.equal(endTime - startTime, 3e6)
  t.equal(samples.length, timeDeltas.length)
  t.equal(timeDeltas.reduce((sum, delta) => sum + delta, 0), 3e6)
  const ids = new Set(nodes.map(({ id }) => id))
  t.ok(nodes.every(({ children }) => children.every((child) => ids.has(child))) && samples.every((id) => ids.has(id)))
  t.match(nodes.find(({ callFrame }) => callFrame.functionName === 'load')?.callFrame, { url: 'app.ts', lineNumber: 3, columnNumber: 0 })
})

t.test('is bounded, whatever ran', async (t) => {
  const many = new StallProfile('many', 0, 100, Array.from({ length: 10_000 }, (_, at) => span(0.01, `f${at} g${at} h${at}`)))
  t.ok(many.bytes < 512 * 1024, `${many.bytes} bytes`)
  t.ok(many.shares().length <= 8 && many.flame().length <= 48)
  t.ok(many.speedscope().length < 1024 * 1024)
})
