// Shows a finding: the try, its bytes, what was expected and what came, and how to repeat it.
import { BATCH, type Found, type Ran } from './run.ts'

const SHOWN = 4000

/** Bytes as a line of text. */
export function escape(bytes: Buffer): string {
  const text = bytes.toString('latin1').replace(/[^\x20-\x7e]|\\/g, (character) => {
    if (character === '\\') return '\\\\'
    if (character === '\r') return '\\r'
    if (character === '\n') return '\\n'
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}… (${bytes.length} bytes)`
}

export function report(seed: number, { one, until, expected, came }: Found): string {
  const what = `  expected: ${expected}\n  came:     ${came}`
  if (one === null) return `After the batch before try ${until} of seed ${seed}:\n${what}\n  again:    npm run fuzz:http -- --seed ${seed} --tries ${Math.ceil(until / BATCH) * BATCH}`
  const { number, kind, to, ending, pieces, frames = [] } = one
  const sent = pieces.map((piece) => `\n    ${escape(piece)}`).join('')
  const then = frames.length === 0 ? '' : `\n  frames:${frames.map((piece) => `\n    ${escape(piece)}`).join('')}`
  return `Try ${number} of seed ${seed} (${kind}, at the ${to}, ${ending}):\n${what}\n  sent:${sent}${then}\n  again:    npm run fuzz:http -- --seed ${seed} --only ${number}`
}

function counts(of: Map<string | number, number>): string {
  return [...of].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${count} ${name}`).join(', ')
}

export function summary(seed: number, { tries, kinds, statuses, messages, findings }: Ran, seconds: number): string {
  return `${tries} tries of seed ${seed} (${counts(kinds)}); answers: ${counts(statuses)}; ${messages} messages; ${findings.length} findings, ${Math.round(tries / seconds)} tries a second`
}
