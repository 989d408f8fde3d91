// Verdicts as text and as a table.
import type { Outcome, Verdict } from './suite.ts'

export const MARKS = ['<!-- judged: npm run conformance:asgi -- --server all --markdown docs/asgi-conformance.md -->', '<!-- end of judged -->'] as const

/** Everything about one server, a line for each verdict. */
export function text(server: string, verdicts: Verdict[]): string {
  const lines = verdicts.map(({ id, title, level, section, outcome, expected, got, why }) => [
    `${outcome.padEnd(14)} ${id.padEnd(4)} ${level.padEnd(6)} ${title} [${section}]`,
    ...outcome === 'failed' ? [`${' '.repeat(15)}expected: ${expected}`, `${' '.repeat(15)}got:      ${got}`] : why === undefined ? [] : [`${' '.repeat(15)}${why}`],
  ].join('\n'))
  return [server, ...lines, summary(verdicts), ''].join('\n')
}

function summary(verdicts: Verdict[]): string {
  const of = (outcome: Outcome): number => verdicts.filter((one) => one.outcome === outcome).length
  return (['passed', 'failed', 'not supported', 'not observable'] as const).map((outcome) => `${of(outcome)} ${outcome}`).join(', ')
}

const SHOWN: Record<Outcome, string> = { 'passed': 'passed', 'failed': '**failed**', 'not supported': 'not supported', 'not observable': '–' }

/** The verdicts of several servers as a table, and below it what each failed verdict found. */
export function markdown(results: { server: string; verdicts: Verdict[] }[]): string {
  const cell = (value: string): string => value.replaceAll('|', '\\|').replaceAll('\n', ' ')
  const rows = (results[0]?.verdicts ?? []).map(({ id, title, level, section }, at) => `| ${[id, level, cell(title), cell(section), ...results.map(({ verdicts }) => SHOWN[(verdicts[at] as Verdict).outcome])].join(' | ')} |`)
  const failures = results.flatMap(({ server, verdicts }) => verdicts.filter(({ outcome }) => outcome === 'failed').map(({ id, title, expected, got }) => `| ${server} | ${id} | ${cell(title)} | \`${cell(expected as string)}\` | \`${cell((got as string).replaceAll('`', '\''))}\` |`))
  return [
    ...results.map(({ server, verdicts }) => `- ${server}: ${summary(verdicts)}`), '',
    `| id | level | requirement | section | ${results.map(({ server }) => server).join(' | ')} |`, `|---|---|---|---|${'---|'.repeat(results.length)}`, ...rows, '',
    'The failed ones:', '', '| server | id | requirement | expected | got |', '|---|---|---|---|---|', ...failures,
  ].join('\n')
}

/** A page with the text between the marks replaced. Throws an Error if it has no marks. */
export function intoMarks(page: string, made: string): string {
  const [from, to] = MARKS.map((mark) => page.indexOf(mark)) as [number, number]
  if (from < 0 || to < from) throw new Error(`the page needs the marks ${MARKS.join(' and ')}`)
  return `${page.slice(0, from + MARKS[0].length)}\n\n${made}\n\n${page.slice(to)}`
}
