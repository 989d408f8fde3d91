// The program's problems as a list: each entry leads to its line.
import { language } from '../language.ts'
import type { Playground } from './model.ts'

const WHEN = { types: 'type', syntax: 'syntax', translation: 'not translated', run: 'when it ran' } as const
const SIGN = { error: '✕', warning: '▲', info: 'i' } as const

export function Troubles({ model, onGo }: { model: Playground; onGo: (line: number) => void }) {
  const troubles = model.troubles.value
  const what = language.value === 'python' ? 'syntax' : 'types'
  if (troubles.length === 0) {
    return <p class="pg-none soft">{model.checking.value ? `Checking ${what} …` : `No ${what === 'types' ? 'type' : 'syntax'} errors.`}</p>
  }
  return (
    <ul class="pg-troubles" aria-label="Problems">
      {troubles.map(({ line, severity, message, when }, at) => (
        <li key={at} class={severity}>
          <button type="button" class="row-button" onClick={() => onGo(line)}>
            <span aria-hidden="true">{SIGN[severity]}</span> <span class="pg-line">line {line}</span> {message}
            <span class="soft"> {WHEN[when]}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}
