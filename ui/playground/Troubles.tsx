// The program's problems as a list: each entry leads to its line.
import type { Playground } from './model.ts'

const SIGN = { error: '✕', warning: '▲', info: 'i' } as const

export function Troubles({ model, onGo }: { model: Playground; onGo: (line: number) => void }) {
  const troubles = model.troubles.value
  if (troubles.length === 0) {
    return <p class="pg-none soft">{model.checking.value ? 'Checking types …' : 'No type errors.'}</p>
  }
  return (
    <ul class="pg-troubles" aria-label="Problems">
      {troubles.map(({ line, severity, message, when }, at) => (
        <li key={at} class={severity}>
          <button type="button" class="row-button" onClick={() => onGo(line)}>
            <span aria-hidden="true">{SIGN[severity]}</span> <span class="pg-line">line {line}</span> {message}
            <span class="soft"> {when === 'types' ? 'type' : 'when it ran'}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}
