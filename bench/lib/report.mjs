// The summary as text: a table for the terminal, and the same in Markdown, written between two marks of a page.
import { readFileSync, writeFileSync } from 'node:fs'
import { describeMachine } from './machine.mjs'
import { workloads } from './workloads.mjs'

const HEAD = ['workload', 'implementation', 'CPU', 'wall', '÷ loopscope', 'spread', 'goal', '']
const MARKS = ['<!-- measured: npm run bench -- --markdown -->', '<!-- end of measured -->']

const three = (value) => (value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3))
const times = (value) => `${value >= 100 ? Math.round(value) : value.toPrecision(3)}×`

function duration(spread) {
  if (spread === null) return ''
  const seconds = spread.median
  return seconds < 1e-6 ? `${three(seconds * 1e9)} ns` : `${three(seconds * 1e6)} µs`
}

const goalOf = ({ atLeast, atMost }) => (atMost === undefined ? `≥ ${times(atLeast)}` : `≤ ${times(atMost)}`)
const verdictOf = ({ met, clear }) => (met ? 'met' : 'NOT MET') + (clear ? '' : ', within the spread')

function line(row, verdicts) {
  const goal = verdicts.find((v) => v.workload === row.workload && v.peer === row.implementation && v.of === undefined)
  return [
    row.rss === null ? duration(row.thread ?? row.cpu) : `${three(row.rss.median)} B`,
    row.rss === null ? duration(row.wall) : '',
    row.ratio === null || row.implementation === 'loopscope' ? '' : times(row.ratio.median),
    row.ratio === null || row.implementation === 'loopscope' ? '' : `${times(row.ratio.least)} – ${times(row.ratio.most)}`,
    goal === undefined ? '' : goalOf(goal),
    goal === undefined ? '' : verdictOf(goal),
  ]
}

/** Rows of cells: for each workload a title row, then one for each implementation. */
function cells({ rows, verdicts }) {
  const table = []
  for (const name of Object.keys(workloads)) {
    const own = rows.filter((row) => row.workload === name)
    own.forEach((row, i) => table.push([i === 0 ? name : '', row.implementation, ...line(row, verdicts)]))
    for (const v of verdicts) {
      if (v.workload !== name || v.of === undefined) continue
      table.push(['', `${v.peer}, ${v.of}`, '', '', times(v.ratio.median), `${times(v.ratio.least)} – ${times(v.ratio.most)}`, goalOf(v), verdictOf(v)])
    }
  }
  return table
}

export function terminalTable(summary) {
  const table = [HEAD, ...cells(summary)]
  const widths = HEAD.map((_, column) => Math.max(...table.map((row) => row[column].length)))
  const text = table.map((row, i) => {
    const line = row.map((cell, column) => (column < 2 || column > 6 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ').trimEnd()
    return i > 0 && row[0] !== '' ? `\n${line}` : line
  })
  return text.join('\n')
}

/** How many goals are met, and every one that is not. */
export function verdictLines({ verdicts, failures }) {
  const missed = verdicts.filter(({ met }) => !met)
  return [
    verdicts.length === 0 ? 'no goals for this choice' : `${verdicts.length - missed.length} of ${verdicts.length} goals met`,
    ...missed.map((v) => `not met: ${v.workload} against ${v.peer}${v.of ? ` ${v.of}` : ''}: ${times(v.ratio.median)}, the goal is ${goalOf(v)}`),
    ...failures.map((f) => `failed: ${f.workload} on ${f.implementation}, round ${f.round}: ${f.reason}`),
  ]
}

export function markdown(result, summary) {
  const table = [HEAD, HEAD.map((_, i) => (i < 2 || i === 7 ? '---' : '--:')), ...cells(summary)]
  const units = Object.entries(workloads).filter(([name]) => summary.rows.some((row) => row.workload === name))
  return [
    `Measured on: ${describeMachine(result.machine)}. Medians of ${result.rounds} rounds.`,
    '',
    ...table.map((row) => `| ${row.map((cell) => cell.replace('NOT MET', '**not met**')).join(' | ')} |`),
    '',
    `A figure is for one unit of the work: ${units.map(([name, { unit }]) => `${name}: one ${unit}`).join(' · ')}.`,
    '',
    ...(result.observer ?? []).map((text) => `- ${text.replace('NOT MET', '**not met**')}`),
    '',
    ...verdictLines(summary).map((text, i) => (i === 0 ? `**${text}.**` : `- ${text}`)),
  ].join('\n')
}

/** Replaces the text between the two marks of `file` by the table. */
export function writeMarkdown(file, text, [begin, end] = MARKS) {
  const page = readFileSync(file, 'utf8')
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`${file} has no lines "${begin}" and "${end}" to put the table between`)
  writeFileSync(file, `${page.slice(0, from)}${begin}\n\n${text}\n\n${page.slice(to)}`)
}
